"""Who asks, how far their reach goes, and what nobody may do."""
