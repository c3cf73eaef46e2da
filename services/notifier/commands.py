"""The notifier's public door. It takes no orders; it tells which contacts it can reach."""

from services.notifier.channels import ContactRules, find_channels

__all__ = ["ContactRules", "find_channels"]
