"""What is pure: plans, policy, settling."""
