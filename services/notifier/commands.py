"""The notifier's public door. It takes no orders; it tells which contacts it can reach."""

from services.notifier.channels import ContactRules

__all__ = ["ContactRules"]
