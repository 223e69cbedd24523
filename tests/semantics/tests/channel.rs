// SPDX-License-Identifier: BSD-2-Clause
//! A provider in another protection domain, which fetches its questions (s41, s42, s52).

use ioasid_core::allocator::channel::{ChannelProvider, Question};
use ioasid_core::allocator::{Answer, Ticket};
use ioasid_core::{Allocation, Config, Error, Freed, Memory, PasidRange, Registry, SetId};
use semantics::{BOUND, Call, Script, pasid, up_to};

/// A registry of the ids up to 127 whose allocator stands behind a channel, and a set.
fn channel<'m>(
    words: &'m mut Vec<u64>,
    providers: &'m mut [ChannelProvider],
) -> (Registry<'m, ChannelProvider>, SetId) {
    words.resize(Memory::words_for(128), 0);
    let config = Config { max_pasid: pasid(127), ack_bound: BOUND, provider_bound: BOUND };
    let mut registry = Registry::with(Memory { words }, config, providers, ()).expect("the memory fits");
    registry.register_allocator(Script::allocator(1, 0, 7)).expect("nothing is in the way");
    let set = registry.create_set(up_to(100)).expect("there is room for a set");
    (registry, set)
}

fn ask(registry: &mut Registry<'_, ChannelProvider>, set: SetId) -> Ticket {
    match registry.alloc(set, 1..=100, 0) {
        Ok(Allocation::Pending(ticket)) => ticket,
        other => panic!("{other:?}"),
    }
}

#[test]
fn s42_a_question_is_fetched_once_and_its_answer_completes() {
    let (mut words, mut providers) = (Vec::new(), [ChannelProvider::new()]);
    let (mut registry, set) = channel(&mut words, &mut providers);
    assert!(!registry.provider(0).unwrap().is_asking());
    assert!(registry.provider(1).is_none());
    let ticket = ask(&mut registry, set);
    let provider = registry.provider(0).unwrap();
    assert!(provider.is_asking());
    let range = PasidRange::new(1, 100).unwrap();
    assert_eq!(provider.fetch(), Some(Question::Alloc { ticket, pdata: 7, range }));
    assert!(!provider.is_asking());
    assert_eq!(provider.fetch(), None);
    let handle = registry.complete(0, ticket, Answer::Given(9)).unwrap().result.unwrap();
    assert_eq!(handle.pasid, pasid(9));
}

#[test]
fn s52_frees_are_fetched_before_questions_and_where_too_many_wait_the_id_stays() {
    let (mut words, mut providers) = (Vec::new(), [ChannelProvider::new()]);
    let (mut registry, set) = channel(&mut words, &mut providers);
    let mut ids = Vec::new();
    for number in 1..=65 {
        let ticket = ask(&mut registry, set);
        let _ = registry.provider(0).unwrap().fetch();
        ids.push(registry.complete(0, ticket, Answer::Given(number)).unwrap().result.unwrap());
    }
    let ticket = ask(&mut registry, set);
    let (last, others) = ids.split_last().unwrap();
    for &handle in others {
        assert_eq!(registry.free_unbound(set, handle), Ok(Freed::Free));
    }
    assert_eq!(registry.free(set, *last), Ok(Freed::Teardown));
    assert_eq!(registry.reclaim(*last), Err(Error::ProviderBusy));
    let provider = registry.provider(0).unwrap();
    assert!(provider.is_asking());
    for number in 1..=64 {
        assert_eq!(provider.fetch(), Some(Question::Free { pdata: 7, id: number }));
    }
    assert!(matches!(provider.fetch(), Some(Question::Alloc { ticket: asked, .. }) if asked == ticket));
    assert_eq!(registry.reclaim(*last), Ok(()));
    assert!(registry.provider(0).unwrap().is_asking());
}

#[test]
fn s42_a_question_that_has_timed_out_makes_room_for_its_sets_next_and_for_nobody_elses() {
    let (mut words, mut providers) = (Vec::new(), [ChannelProvider::new()]);
    let (mut registry, set) = channel(&mut words, &mut providers);
    let other = registry.create_set(up_to(1)).unwrap();
    // The other's time is not over when that of the first is.
    ask(&mut registry, set);
    registry.poll(BOUND - 1);
    let kept = ask(&mut registry, other);
    assert!(registry.poll(BOUND).is_some());
    let present = ask(&mut registry, set);
    let provider = registry.provider(0).unwrap();
    let questions: Vec<_> = std::iter::from_fn(|| provider.fetch()).collect();
    let tickets = questions.iter().map(|question| match question {
        Question::Alloc { ticket, .. } => *ticket,
        Question::Free { .. } => panic!("nothing was freed"),
    });
    assert!(tickets.eq([kept, present]));
}

#[test]
fn s52_a_provider_may_be_borrowed() {
    let mut script = Script::default();
    let told = script.clone();
    let mut words = vec![0; Memory::words_for(128)];
    let mut providers = [&mut script];
    let memory = Memory { words: &mut words };
    let mut registry = Registry::with(memory, Config::default(), &mut providers, ()).unwrap();
    registry.register_allocator(Script::allocator(1, 0, 7)).unwrap();
    let set = registry.create_set(up_to(5)).unwrap();
    let Ok(Allocation::Ready(handle)) = registry.alloc(set, 9..=9, 0) else { panic!("it answers at once") };
    assert_eq!(registry.free_unbound(set, handle), Ok(Freed::Free));
    assert_eq!(told.calls(), [Call::Alloc(7, 9, 9), Call::Free(7, 9)]);
}
