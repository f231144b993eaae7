"""Sessions: how they begin, last and end, and the devices they are on."""
