"""Deals the eligible phone leads of a sales floor out to the active agents, evenly, once every evening."""

__version__ = "0.1.0"
