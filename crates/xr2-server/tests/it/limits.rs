//! The rate limit of a key.

use chrono::TimeDelta;
use xr2_testkit::{KeyFixture, both};

fn limited(limit: i64) -> KeyFixture {
    KeyFixture { rate_limit_per_minute: Some(limit), ..KeyFixture::default() }
}

both!(exactly_the_limit_passes, |app| async move {
    let key = app.key_with(limited(7)).await;
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let key = key.clone();
            tokio::spawn(async move { key.get("/auth/me").await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(request.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 7, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 13, "{statuses:?}");
});

both!(the_answer_tells_when_to_come_back, |app| async move {
    let key = app.key_with(limited(2)).await;
    let other = app.key_with(limited(2)).await;
    key.get("/auth/me").await.ok();
    app.clock().advance(TimeDelta::seconds(40));
    key.get("/auth/me").await.ok();
    let refused = key.get("/auth/me").await.error(429, "RATE_LIMITED").says("rate limit");
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((10..=22).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit-limit"), Some("2"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("ratelimit-reset"), refused.header("retry-after"));
    assert_eq!(refused.details()["retry_after"], wait);
    other.get("/auth/me").await.ok();
    app.clock().advance(TimeDelta::seconds(wait));
    key.get("/auth/me").await.ok();
    key.get("/auth/me").await.error(429, "RATE_LIMITED");
    assert!(app.new_events().await.is_empty());
});
