-- What was said has finished texts in rows of before; what these announce isn't known. Such a message says as of when it
-- was written once it is drawn again, or sent (bot/messages/blocks/stored.py).
UPDATE cards SET body = '{"undated": true, ' || SUBSTR(body, 2)
WHERE (over_at IS NOT NULL OR message_ts IS NULL) AND body LIKE '{"%"blocks"%';
UPDATE notices SET body = '{"undated": true, ' || SUBSTR(body, 2)
WHERE state IN ('pending', 'retry', 'leased') AND kind IN ('message', 'reply', 'assistant_question')
    AND body LIKE '{"%"blocks"%';
