"""How the made-up county is made: ground, borders, areas, people, services, roads; every draw is seeded."""
