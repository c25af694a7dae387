-- The presses that a link lets go on.
CREATE INDEX participants_waiting ON participants (principal) WHERE waits_for = 'unlinked';
