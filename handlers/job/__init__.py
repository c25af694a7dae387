"""What people do with jobs: each verb and button is a function with its route."""
