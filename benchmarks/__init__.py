"""What Usher costs: figures with their goals, measured from outside (``docs/performance.md``)."""
