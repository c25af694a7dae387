-- oldest release that may serve: 0.1.0

-- email: the address that the wanted user has at the provider (NULL: nobody knows).
ALTER TABLE approvals ADD COLUMN email TEXT;
