-- Who was asked to become a member, and by whom.

-- token_hash: of the link's token; a new one each time it is sent. email_key: see users.
CREATE TABLE invitations (
    id UUID PRIMARY KEY,
    workspace_id UUID NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash BYTEA NOT NULL UNIQUE,
    invited_by UUID REFERENCES users (id) ON DELETE SET NULL,
    inviter_name TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    sent_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    accepted_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX invitations_open ON invitations (workspace_id, email_key)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_by_creation ON invitations (workspace_id, created_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON invitations TO xr2_app;

-- Whoever opens a link is no member yet, so it is found through the system door.
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON invitations
    USING (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()))
    WITH CHECK (workspace_id = (SELECT xr2_workspace()) OR (SELECT xr2_system()));
