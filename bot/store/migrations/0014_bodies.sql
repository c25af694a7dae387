-- What a message says is not kept once it was sent, or given up: nothing reads it again.

UPDATE notices SET body = '{}' WHERE state IN ('sent', 'dead') AND body <> '{}';
