"""What several tests share: fakes that are real, not patches."""
