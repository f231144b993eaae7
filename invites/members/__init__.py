"""Inviting others, where members may."""
