-- What a person and Usher last spoke of in a conversation, or in a thread of it ('' for none): ids only, for 15 minutes.
CREATE TABLE conversations (
    principal TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    thread_ts TEXT NOT NULL,
    about TEXT NOT NULL,
    spoken_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (principal, channel_id, thread_ts)
);
CREATE INDEX conversations_age ON conversations (spoken_at);
-- In the thread of a card, it is what is spoken of.
CREATE INDEX cards_of_threads ON cards (message_ts) WHERE message_ts IS NOT NULL;
