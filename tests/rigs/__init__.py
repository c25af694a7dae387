"""What several tests share: real fakes instead of patches."""
