"""What Sphere Engine tells, read without a server."""
