//! "How is the fleet?": every number of the answer is in a tool result of that turn. (`say` checks that for all acts.)

use clawops_e2e::Universe;

pub fn on_an_empty_fleet(universe: &Universe) {
    let answer = universe.say("How is the fleet?");
    assert!(answer.tools().contains(&"gf_fleet_status"), "{answer:?}");
    assert!(!answer.reply().is_empty());
    assert!(answer.asks_nothing(), "a question about the fleet needs nobody's yes");
}

pub fn with_two_pairs(universe: &Universe) {
    for sentence in ["How is the fleet?", "everything ok?", "status of all gateways please"] {
        let answer = universe.say(sentence);
        assert!(answer.tools().contains(&"gf_fleet_status"), "{sentence}: {answer:?}");
        assert!(answer.reply().contains('2'), "two pairs are told: {}", answer.reply());
    }
}
