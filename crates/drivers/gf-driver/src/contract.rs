//! The promises that each driver is held to.
//!
//! A driver's tests bring a [`Subject`] and instantiate [`contract_tests!`](crate::contract_tests); each check
//! begins with a fresh subject. Nothing in here knows how a driver works, and nothing here waits for time.

use crate::{CreatePlace, Driver, DriverError, Place};
use async_trait::async_trait;
use futures_util::future::join;
use gf_model::{
    InstanceId, Tier,
    gateway::Generation,
    instance::Role,
    provider::{ProviderId, Region},
};
use std::{sync::Arc, time::Duration};

/// What the provider does to the next call, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It acts, and the answer never arrives.
    DropAnswer,
    /// It says no and does nothing.
    Refuse,
    /// It asks to wait and does nothing.
    RateLimit(Duration),
    /// It cannot be reached and does nothing.
    Away,
}

/// A driver under test, with a provider behind it that can be made to misbehave.
#[async_trait]
pub trait Subject: Send {
    fn driver(&self) -> Arc<dyn Driver>;

    /// A provider of this driver, and a region and tier that it sells.
    fn sold(&self) -> (ProviderId, Region, Tier);

    /// Makes the next call go wrong. Drivers to whose provider a fault cannot happen say so with `false`.
    async fn arm(&mut self, fault: Fault) -> bool;

    /// The control plane dies without a word and starts again. The provider and what it holds live on.
    async fn kill_and_reopen(&mut self);

    /// How many places exist for a label, seen with the provider's own eyes and not through the driver.
    async fn really_there(&self, label: &InstanceId) -> usize;

    /// Whether anything runs in the place, seen the same way.
    async fn really_runs(&self, label: &InstanceId) -> bool;

    /// Something that somebody else put there.
    async fn plant_stranger(&mut self);
}

fn label(name: &str) -> InstanceId {
    InstanceId::try_from(name.to_owned()).unwrap_or_else(|why| panic!("{why}"))
}

/// An order that the subject's provider can carry out.
pub fn order(subject: &impl Subject, name: &str) -> CreatePlace {
    let (provider, region, tier) = subject.sold();
    CreatePlace {
        label: label(name),
        account: gf_model::AccountId::from_bits(0x42, 4),
        role: Role::Primary,
        tier,
        provider,
        region,
        generation: Generation(1),
        memory: None,
        configuration: serde_json::json!({"agents": {"defaults": {"model": {"primary": "claw-brain/companion"}}}}),
        owned: serde_json::json!({}),
        revision: String::new(),
    }
}

async fn made(subject: &impl Subject, order: &CreatePlace) -> Place {
    let place = subject.driver().create(order).await;
    place.unwrap_or_else(|why| panic!("{} could not be made: {why}", order.label))
}

async fn listed(subject: &impl Subject) -> Vec<InstanceId> {
    let (provider, ..) = subject.sold();
    let places = subject.driver().list(&provider).await.unwrap_or_else(|why| panic!("no list: {why}"));
    places.into_iter().map(|place| place.label).collect()
}

fn fine<T>(what: &str, outcome: Result<T, DriverError>) -> T {
    outcome.unwrap_or_else(|why| panic!("{what} failed: {why}"))
}

pub async fn what_is_made_is_found_listed_and_deleted(subject: impl Subject) {
    let order = order(&subject, "i-c001");
    let (driver, provider) = (subject.driver(), &order.provider);
    assert_eq!(fine("find", driver.find(provider, &order.label).await), None);

    let place = made(&subject, &order).await;
    assert_eq!((&place.label, &place.provider, &place.region), (&order.label, provider, &order.region));
    assert!(!place.id.is_empty(), "a place has a name of the provider's own");
    let found = fine("find", driver.find(provider, &order.label).await).map(|found| (found.id, found.node));
    assert_eq!(found, Some((place.id, place.node)));
    assert_eq!(listed(&subject).await, std::slice::from_ref(&order.label));

    fine("delete", driver.delete(provider, &order.label).await);
    assert_eq!(fine("find", driver.find(provider, &order.label).await), None);
    assert!(listed(&subject).await.is_empty());
    assert_eq!(subject.really_there(&order.label).await, 0);
}

pub async fn one_label_is_one_place(subject: impl Subject) {
    let order = order(&subject, "i-c002");
    let (first, second) = (made(&subject, &order).await, made(&subject, &order).await);
    assert_eq!((&first.id, &first.node), (&second.id, &second.node));
    assert_eq!(subject.really_there(&order.label).await, 1);
}

pub async fn two_at_once_with_one_label_are_one_place(subject: impl Subject) {
    let order = order(&subject, "i-c003");
    let driver = subject.driver();
    let (first, second) = join(driver.create(&order), driver.create(&order)).await;
    assert_eq!(fine("create", first).id, fine("create", second).id);
    assert_eq!(subject.really_there(&order.label).await, 1);
}

pub async fn two_labels_are_two_places(subject: impl Subject) {
    let (one, other) = (order(&subject, "i-c004"), order(&subject, "i-c005"));
    let driver = subject.driver();
    let (first, second) = join(driver.create(&one), driver.create(&other)).await;
    assert_ne!(fine("create", first).id, fine("create", second).id);
    assert_eq!(listed(&subject).await.len(), 2);
}

/// The promise on which every provisioning rests: acts, drops the answer, is asked again after a kill.
pub async fn a_lost_answer_and_a_kill_make_one_place_not_two(mut subject: impl Subject) {
    let order = order(&subject, "i-c006");
    assert!(subject.arm(Fault::DropAnswer).await, "an answer can be lost everywhere");
    let lost = subject.driver().create(&order).await;
    assert!(matches!(lost, Err(DriverError::AnswerLost { .. })), "the answer was to be lost: {lost:?}");
    assert_eq!(subject.really_there(&order.label).await, 1, "it was acted upon");

    subject.kill_and_reopen().await;
    let driver = subject.driver();
    let found = fine("find", driver.find(&order.provider, &order.label).await);
    assert!(found.is_some(), "what was made is found by its label");
    let again = made(&subject, &order).await;
    assert_eq!(found.map(|place| place.id), Some(again.id));
    assert_eq!(subject.really_there(&order.label).await, 1, "one place, not two");
}

pub async fn a_lost_answer_without_a_kill_makes_one_place_too(mut subject: impl Subject) {
    let order = order(&subject, "i-c007");
    assert!(subject.arm(Fault::DropAnswer).await, "an answer can be lost everywhere");
    assert!(subject.driver().create(&order).await.is_err_and(|why| why.is_transient()));
    made(&subject, &order).await;
    assert_eq!(subject.really_there(&order.label).await, 1);
}

pub async fn places_outlive_the_control_plane(mut subject: impl Subject) {
    let order = order(&subject, "i-c008");
    let before = made(&subject, &order).await;
    subject.kill_and_reopen().await;
    let found = fine("find", subject.driver().find(&order.provider, &order.label).await);
    assert_eq!(found.map(|place| place.id), Some(before.id));
}

pub async fn deleting_is_done_as_often_as_one_likes(mut subject: impl Subject) {
    let order = order(&subject, "i-c009");
    let (driver, provider) = (subject.driver(), order.provider.clone());
    fine("delete of an unknown label", driver.delete(&provider, &label("i-c0ff")).await);
    made(&subject, &order).await;
    assert!(subject.arm(Fault::DropAnswer).await, "an answer can be lost everywhere");
    assert!(driver.delete(&provider, &order.label).await.is_err_and(|why| why.is_transient()));
    fine("delete again", driver.delete(&provider, &order.label).await);
    fine("delete again", driver.delete(&provider, &order.label).await);
    assert_eq!(subject.really_there(&order.label).await, 0);
}

pub async fn after_power_off_nothing_runs(subject: impl Subject) {
    let order = order(&subject, "i-c00a");
    made(&subject, &order).await;
    let driver = subject.driver();
    fine("power off", driver.power_off(&order.provider, &order.label).await);
    assert!(!subject.really_runs(&order.label).await, "power off is confirmed or it is an error");
    assert_eq!(subject.really_there(&order.label).await, 1, "the place itself stays");
    fine("power off again", driver.power_off(&order.provider, &order.label).await);
}

/// What does not exist cannot act: fencing it is done.
pub async fn power_off_of_what_is_not_there_is_done(subject: impl Subject) {
    let (provider, ..) = subject.sold();
    fine("power off", subject.driver().power_off(&provider, &label("i-c0fe")).await);
}

pub async fn a_place_is_resized_where_it_is(subject: impl Subject) {
    let order = order(&subject, "i-c00b");
    let before = made(&subject, &order).await;
    let driver = subject.driver();
    fine("resize", driver.resize(&order.provider, &order.label, Tier::Pro).await);
    let after = fine("find", driver.find(&order.provider, &order.label).await);
    assert_eq!(after.map(|place| place.id), Some(before.id));
    let unknown = driver.resize(&order.provider, &label("i-c0fd"), Tier::Pro).await;
    assert!(matches!(unknown, Err(DriverError::Refused { .. })), "there is nothing to resize: {unknown:?}");
}

pub async fn what_others_own_is_not_listed(mut subject: impl Subject) {
    let order = order(&subject, "i-c00c");
    subject.plant_stranger().await;
    assert!(listed(&subject).await.is_empty());
    made(&subject, &order).await;
    assert_eq!(listed(&subject).await, [order.label]);
}

pub async fn what_is_not_sold_is_refused_by_name(subject: impl Subject) {
    let order = order(&subject, "i-c00d");
    let driver = subject.driver();
    let elsewhere = CreatePlace { region: "atlantis".into(), ..order.clone() };
    let refused = driver.create(&elsewhere).await;
    assert!(
        matches!(&refused, Err(DriverError::UnknownRegion { region, .. }) if *region == elsewhere.region),
        "{refused:?}"
    );
    let nobody = ProviderId::from("nobody");
    let stranger = CreatePlace { provider: nobody.clone(), ..order.clone() };
    let unknown = |outcome: Result<(), DriverError>| {
        assert!(matches!(&outcome, Err(DriverError::UnknownProvider(id)) if *id == nobody), "{outcome:?}");
    };
    unknown(driver.create(&stranger).await.map(drop));
    unknown(driver.find(&nobody, &order.label).await.map(drop));
    unknown(driver.list(&nobody).await.map(drop));
    unknown(driver.delete(&nobody, &order.label).await);
    unknown(driver.power_off(&nobody, &order.label).await);
    unknown(driver.resize(&nobody, &order.label, Tier::Nano).await);
    unknown(driver.status(&nobody).await.map(drop));
    assert_eq!(subject.really_there(&order.label).await, 0);
}

pub async fn what_goes_wrong_is_told_apart_and_makes_nothing(mut subject: impl Subject) {
    let order = order(&subject, "i-c00e");
    let driver = subject.driver();
    let pause = Duration::from_secs(7);
    for fault in [Fault::Refuse, Fault::RateLimit(pause), Fault::Away] {
        if !subject.arm(fault).await {
            continue;
        }
        let outcome = driver.create(&order).await;
        let fits = match &outcome {
            Err(DriverError::Refused { .. }) => fault == Fault::Refuse,
            Err(DriverError::RateLimited { retry_after, .. }) => fault == Fault::RateLimit(*retry_after),
            Err(DriverError::Unavailable { .. }) => fault == Fault::Away,
            _ => false,
        };
        assert!(fits, "{fault:?} became {outcome:?}");
        assert_eq!(subject.really_there(&order.label).await, 0, "{fault:?} made something");
    }
}

pub async fn what_is_sold_has_a_name_a_price_and_a_region(subject: impl Subject) {
    let (provider, region, tier) = subject.sold();
    let sold = subject.driver().providers();
    let offer = sold.iter().find(|offer| offer.id == provider);
    let offer = offer.unwrap_or_else(|| panic!("{provider} is not among what is sold"));
    assert_eq!(offer.driver, subject.driver().name());
    assert!(offer.regions.iter().any(|offered| offered.region == region));
    assert!(offer.prices.get(&tier).is_some_and(|price| price.0 > 0));
    fine("status", subject.driver().status(&provider).await);
}

/// One test per promise, each with a fresh subject: `contract_tests!(subject().await)`.
///
/// The caller's crate must depend on tokio; an attribute other than `#[tokio::test]` can be given first.
#[macro_export]
macro_rules! contract_tests {
    (@each #[$test:meta] $subject:expr; $($promise:ident)+) => {
        $(#[$test] async fn $promise() { $crate::contract::$promise($subject).await; })+
    };
    (#[$test:meta] $subject:expr) => {
        $crate::contract_tests!(@each #[$test] $subject;
            what_is_made_is_found_listed_and_deleted
            one_label_is_one_place
            two_at_once_with_one_label_are_one_place
            two_labels_are_two_places
            a_lost_answer_and_a_kill_make_one_place_not_two
            a_lost_answer_without_a_kill_makes_one_place_too
            places_outlive_the_control_plane
            deleting_is_done_as_often_as_one_likes
            after_power_off_nothing_runs
            power_off_of_what_is_not_there_is_done
            a_place_is_resized_where_it_is
            what_others_own_is_not_listed
            what_is_not_sold_is_refused_by_name
            what_goes_wrong_is_told_apart_and_makes_nothing
            what_is_sold_has_a_name_a_price_and_a_region
        );
    };
    ($subject:expr) => { $crate::contract_tests!(#[tokio::test] $subject); };
}
