"""How dates and times are written where Django writes them: the clock of twenty-four hours, as on every page."""
