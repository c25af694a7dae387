"""The local Sphere Engine, held against its documents."""
