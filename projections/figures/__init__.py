"""Figures: what the measurements of a cohort say, with how sure they are of it, and a receipt to compute them again."""
