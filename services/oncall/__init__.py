"""On-call: who should wake up, and when."""
