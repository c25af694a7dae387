-- oldest release that may serve: 0.2.1

-- The next moment that a message announces, or that one of its buttons is good until: it is drawn again then.
ALTER TABLE cards ADD COLUMN over_at DOUBLE PRECISION;
CREATE INDEX cards_over ON cards (over_at) WHERE over_at IS NOT NULL;
