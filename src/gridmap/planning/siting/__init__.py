"""Where to add facilities: choose among candidates, and say how far from the best possible the choice can be."""
