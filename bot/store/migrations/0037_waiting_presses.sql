-- oldest release that may serve: 0.2.1

-- The presses that a link lets go on.
CREATE INDEX participants_waiting ON participants (principal) WHERE waits_for = 'unlinked';
