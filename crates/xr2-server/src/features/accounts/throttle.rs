//! How often somebody may try to sign in or register.

use std::net::{IpAddr, Ipv4Addr};

use chrono::TimeDelta;

use crate::auth::token_hash;
use crate::clock::Time;
use crate::config::Auth;
use crate::error::{ApiError, Result};
use crate::http::RequestContext;
use crate::limits::{Attempts, office_of};

const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Accounts and networks remembered at once.
const ACCOUNTS: usize = 50_000;
const NETWORKS: usize = 20_000;

/// Failed attempts of the last quarter of an hour.
pub(super) struct Throttle {
    /// By hash: what people type as an address can be long.
    accounts: Attempts<[u8; 32]>,
    networks: Attempts<IpAddr>,
}

/// An attempt that counts as failed until it is forgiven.
pub(super) struct Attempt<'a> {
    throttle: &'a Throttle,
    account: Option<[u8; 32]>,
    network: IpAddr,
}

impl Throttle {
    pub(super) fn new(auth: &Auth) -> Throttle {
        Throttle {
            accounts: Attempts::new(auth.attempts_per_account, WINDOW, ACCOUNTS),
            networks: Attempts::new(auth.attempts_per_network, WINDOW, NETWORKS),
        }
    }

    /// Counts an attempt at the account with this key, known or not. It counts before the password is looked at, so
    /// that attempts side by side are no way around the limit.
    pub(super) fn sign_in(&self, account: &str, context: &RequestContext, now: Time) -> Result<Attempt<'_>> {
        let attempt = self.attempt_of_network(context, now)?;
        let account = token_hash(account);
        self.accounts.count(&account, now).map_err(|refused| {
            self.networks.forgive(&attempt.network);
            ApiError::rate_limited(refused, "Failed sign-ins with this address")
        })?;
        Ok(Attempt { account: Some(account), ..attempt })
    }

    /// Counts an attempt to register.
    pub(super) fn register(&self, context: &RequestContext, now: Time) -> Result<()> {
        self.attempt_of_network(context, now).map(drop)
    }

    fn attempt_of_network(&self, context: &RequestContext, now: Time) -> Result<Attempt<'_>> {
        let network = office_of(context.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        self.networks
            .count(&network, now)
            .map_err(|refused| ApiError::rate_limited(refused, "Attempts from your network"))?;
        Ok(Attempt { throttle: self, account: None, network })
    }
}

impl Attempt<'_> {
    /// It was no failure.
    pub(super) fn forgive(self) {
        if let Some(account) = &self.account {
            self.throttle.accounts.forgive(account);
        }
        self.throttle.networks.forgive(&self.network);
    }
}
