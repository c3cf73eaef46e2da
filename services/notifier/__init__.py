"""The notifier: how people are reached."""
