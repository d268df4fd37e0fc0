//! How often somebody may try to sign in or register.

use std::net::{IpAddr, Ipv4Addr};

use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use crate::clock::{Clock, Time};
use crate::config::Auth;
use crate::error::{ApiError, Result};
use crate::http::RequestContext;
use crate::limits::{Counted, Lender, SharedAttempts, office_of};

const WINDOW: TimeDelta = TimeDelta::minutes(15);

/// Accounts and networks remembered at once.
const ACCOUNTS: usize = 50_000;
const NETWORKS: usize = 20_000;

/// Failed attempts of the last quarter of an hour.
pub(super) struct Throttle {
    /// By keyed hash: what people type as an address can be long, and may be a password; nobody is to guess it from what
    /// Redis holds.
    accounts: SharedAttempts<[u8; 32]>,
    networks: SharedAttempts<IpAddr>,
    secret: [u8; 32],
}

/// An attempt that counts as failed until it is forgiven.
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    account: Option<([u8; 32], Counted)>,
    network: (IpAddr, Counted),
}

impl Throttle {
    pub(super) fn new(auth: &Auth, lender: Lender, clock: &Clock, secret: [u8; 32]) -> Throttle {
        let accounts = (auth.attempts_per_account, WINDOW);
        let networks = (auth.attempts_per_network, WINDOW);
        Throttle {
            accounts: SharedAttempts::new(lender.clone(), clock.clone(), accounts, ACCOUNTS, account_name),
            networks: SharedAttempts::new(lender, clock.clone(), networks, NETWORKS, network_name),
            secret,
        }
    }

    /// Counts an attempt at the account with this key, known or not. It counts before the password is looked at, so
    /// that attempts side by side are no way around the limit.
    pub(super) async fn sign_in(
        &self,
        account: &str,
        context: &RequestContext,
        now: Time,
    ) -> Result<Attempt<'_>> {
        let attempt = self.attempt_of_network(context, now).await?;
        let account: [u8; 32] =
            Sha256::new().chain_update(self.secret).chain_update(account).finalize().into();
        match self.accounts.count(&account, now).await {
            Ok(counted) => Ok(Attempt { account: Some((account, counted)), ..attempt }),
            Err(refused) => {
                attempt.forgive().await;
                Err(ApiError::rate_limited(refused, "Failed sign-ins with this address"))
            }
        }
    }

    /// Counts an attempt to register.
    pub(super) async fn register(&self, context: &RequestContext, now: Time) -> Result<()> {
        self.attempt_of_network(context, now).await.map(drop)
    }

    pub(super) async fn attempt_of_network(
        &self,
        context: &RequestContext,
        now: Time,
    ) -> Result<Attempt<'_>> {
        let network = office_of(context.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)));
        let counted = self.networks.count(&network, now).await;
        let counted =
            counted.map_err(|refused| ApiError::rate_limited(refused, "Attempts from your network"))?;
        Ok(Attempt { throttle: self, account: None, network: (network, counted) })
    }
}

impl Attempt<'_> {
    /// It was no failure.
    pub async fn forgive(self) {
        if let Some((account, counted)) = &self.account {
            self.throttle.accounts.forgive(account, *counted).await;
        }
        let (network, counted) = &self.network;
        self.throttle.networks.forgive(network, *counted).await;
    }
}

fn account_name(account: &[u8; 32]) -> String {
    let hash: String = account.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("account:{hash}")
}

fn network_name(network: &IpAddr) -> String {
    format!("network:{network}")
}
