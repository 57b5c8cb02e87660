"""What would become of service if facilities closed, opened, moved or reached farther; the plan itself stays."""
