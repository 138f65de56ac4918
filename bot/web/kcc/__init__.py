"""The console of KCC agents."""
