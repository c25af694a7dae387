-- An answer in a direct message that offers something is a card, too. names: the rows that its buttons are about,
-- between spaces, and the word for a list of all of somebody's. number is from now on one numbering for all cards, so
-- that those of two workspaces which turn out to be one keep their order.
ALTER TABLE cards ADD COLUMN names TEXT NOT NULL DEFAULT '';
CREATE INDEX cards_number ON cards (number);
CREATE INDEX cards_of_answers ON cards (principal) WHERE kind IN ('reply', 'shown');
CREATE INDEX cards_placed ON cards (message_ts) WHERE message_ts IS NOT NULL;
