"""Lists of people, as they are brought in and given out."""
