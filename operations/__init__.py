"""What asks every room: what is wrong with the site, what may go, which secrets move to a new key."""
