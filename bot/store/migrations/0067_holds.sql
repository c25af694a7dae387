-- What holds something up is a code with a detail, no sentence: the next step of what is open writes it.
UPDATE operations SET block_reason = NULL, read_block_reason = NULL, delayed_by = '';
UPDATE runs SET block_reason = NULL;
