"""Who is responsible for a grid: outlets, people, and the organisation above them."""
