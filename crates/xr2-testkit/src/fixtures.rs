//! Callers, made directly in the database: no test pays for a password hash that it does not look at.

use chrono::TimeDelta;
use uuid::Uuid;
use xr2_server::auth::{Role, Scope, random_token, token_hash};
use xr2_server::clock::Time;
use xr2_server::features::api_keys::{KeyKind, new_key};

use crate::queries::{self, KeyRow};
use crate::{Client, TestApp, canary};

/// A password for tests; it must never turn up in a log or an event.
pub const PASSWORD: &str = "correct horse battery staple";

/// A key to be made; see [`TestApp::key_with`].
#[derive(Debug, Clone)]
pub struct KeyFixture {
    /// Secret or publishable.
    pub kind: KeyKind,
    /// What it is for.
    pub scopes: Vec<Scope>,
    /// Labels it is confined to.
    pub labels: Vec<&'static str>,
    /// Addresses it may come from.
    pub allowed_ips: Vec<&'static str>,
    /// Origins it may be used from.
    pub allowed_origins: Vec<&'static str>,
    /// Its own limit.
    pub rate_limit_per_minute: Option<i64>,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
    /// Who made it: by default the workspace's owner.
    pub maker: Option<Uuid>,
}

impl Default for KeyFixture {
    fn default() -> Self {
        KeyFixture {
            kind: KeyKind::Secret,
            scopes: vec![Scope::Deliver],
            labels: Vec::new(),
            allowed_ips: Vec::new(),
            allowed_origins: Vec::new(),
            rate_limit_per_minute: None,
            expires_at: None,
            revoked_at: None,
            maker: None,
        }
    }
}

impl TestApp {
    /// A caller without a credential.
    pub fn nobody(&self) -> Client {
        Client { app: self.clone(), headers: Vec::new(), sees_canary: false, id: None }
    }

    /// A caller with this bearer token.
    pub fn bearer(&self, token: &str) -> Client {
        self.nobody().with_header("authorization", &format!("Bearer {token}"))
    }

    /// A new owner of the workspace under test, signed in.
    pub async fn owner(&self) -> Client {
        self.member(Role::Owner).await
    }

    /// A new member of the workspace under test, signed in.
    pub async fn member(&self, role: Role) -> Client {
        let client = self.person(false).await;
        let user = client.id.expect("a person has an id");
        let now = self.clock().now();
        queries::insert_member(self.db(), self.workspace(), user, role.as_str(), now)
            .await
            .expect("a member");
        client
    }

    /// The instance's operator, a member of no workspace.
    pub async fn operator(&self) -> Client {
        self.person(true).await
    }

    /// Somebody signed in who is a member of no workspace.
    pub async fn loner(&self) -> Client {
        self.person(false).await
    }

    async fn person(&self, operator: bool) -> Client {
        let (id, now) = (self.clock().new_id(), self.clock().now());
        let email = format!("{}@example.com", id.simple());
        queries::insert_user(self.db(), id, &email, "Test Person", operator, now).await.expect("a user");
        let client = self.bearer(&self.session_of(id).await);
        Client { id: Some(id), ..client }
    }

    /// A fresh session token of a user.
    pub async fn session_of(&self, user: Uuid) -> String {
        let token = format!("xr2s_{}", random_token(32));
        let (id, now) = (self.clock().new_id(), self.clock().now());
        queries::insert_session(self.db(), id, user, &token_hash(&token), now).await.expect("a session");
        self.keep_secret(&token);
        token
    }

    /// The owner of the planted workspace, who must see nothing of the one under test.
    pub fn stranger(&self) -> Client {
        let client = self.bearer(canary::SESSION);
        Client { sees_canary: true, id: Some(self.canary().user), ..client }
    }

    /// The same in a session of its own.
    pub async fn fresh_stranger(&self) -> Client {
        let client = self.bearer(&self.session_of(self.canary().user).await);
        Client { sees_canary: true, id: Some(self.canary().user), ..client }
    }

    /// A key of the planted workspace that may do everything there.
    pub fn stranger_key(&self) -> Client {
        Client { sees_canary: true, ..self.bearer(self.canary_key()) }
    }

    /// A key with these scopes, made by an owner.
    pub async fn key(&self, scopes: &[Scope]) -> Client {
        self.key_with(KeyFixture { scopes: scopes.to_vec(), ..KeyFixture::default() }).await
    }

    /// A publishable key for these origins.
    pub async fn publishable_key(&self, origins: &[&'static str]) -> Client {
        let fixture = KeyFixture {
            kind: KeyKind::Publishable,
            allowed_origins: origins.to_vec(),
            ..KeyFixture::default()
        };
        self.key_with(fixture).await
    }

    /// A key with everything chosen.
    pub async fn key_with(&self, fixture: KeyFixture) -> Client {
        let key = new_key(fixture.kind);
        let maker = match fixture.maker {
            Some(maker) => maker,
            None => self.first_owner().await,
        };
        let scopes: Vec<String> = fixture.scopes.iter().map(scope_name).collect();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let (id, now) = (self.clock().new_id(), self.clock().now());
        let row = KeyRow {
            id,
            workspace: self.workspace(),
            maker: Some(maker),
            name: "Test key",
            kind: fixture.kind.as_str(),
            hash: key.hash,
            prefix: &key.prefix,
            last4: &key.last4,
            scopes: &scopes,
            labels: &fixture.labels,
            allowed_ips: &fixture.allowed_ips,
            allowed_origins: &fixture.allowed_origins,
            rate_limit_per_minute: fixture.rate_limit_per_minute,
            expires_at: fixture.expires_at,
            revoked_at: fixture.revoked_at,
        };
        queries::insert_key(self.db(), &row, now).await.expect("a key");
        self.keep_secret(&key.text);
        Client { id: Some(id), ..self.bearer(&key.text) }
    }

    /// A key that ended an hour ago.
    pub async fn expired_key(&self) -> Client {
        let expires_at = Some(self.clock().now() - TimeDelta::hours(1));
        self.key_with(KeyFixture { scopes: vec![Scope::Admin], expires_at, ..KeyFixture::default() }).await
    }

    /// A key that was revoked an hour ago.
    pub async fn revoked_key(&self) -> Client {
        let revoked_at = Some(self.clock().now() - TimeDelta::hours(1));
        self.key_with(KeyFixture { scopes: vec![Scope::Admin], revoked_at, ..KeyFixture::default() }).await
    }

    async fn first_owner(&self) -> Uuid {
        let known = queries::owner_of(self.db(), self.workspace()).await.expect("reading members");
        match known {
            Some(user) => user,
            None => self.owner().await.id.expect("a person has an id"),
        }
    }
}

fn scope_name(scope: &Scope) -> String {
    serde_json::to_value(scope).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
