-- A launch is a run's start: what is known of its call is named like that of an operation.
ALTER TABLE runs RENAME COLUMN launch_call TO start_call;
