-- oldest release that may serve: 0.1.0

-- Who began an operation or a run, and which of them are in no act, as 0.1.0 writes none.
CREATE INDEX acts_of_errand ON acts (errand);
