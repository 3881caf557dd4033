//! Every seed that ever broke a promise, and why. They stay: what was mended once must not break again.
//!
//! What a seed tells changes with the product and with this crate. Where that has happened, the cause has a test of its
//! own beside the code that was mended; the seed stays as one more story.

/// So many were found before anybody updated nodes in a story; theirs stay what they are kept for.
const BEFORE_ORDERS: usize = 26;

pub(crate) fn is_told_without_orders(seed: u64) -> bool {
    REGRESSIONS.iter().take(BEFORE_ORDERS).any(|(known, _)| *known == seed)
}

/// A seed that failed once, and what was wrong then.
pub const REGRESSIONS: [(u64, &str); 30] = [
    (
        2,
        "a report that came while the disk was full was dropped, and the node told it again only after a reconnect",
    ),
    (10, "taking a creation back deleted a place without an audit row that said so"),
    (30, "an order that arrived after its place was given up left a machine that nobody knew"),
    (89, "a step that was retried beside another operation brought a deleted instance back in the books"),
    (138, "an operation whose start was kept though the commit reported failure was never run"),
    (172, "a pair whose new primary was away when it should get its channels was never served again"),
    (182, "a retried repair built a second standby and left the first to nobody"),
    (364, "a retried provision took back, and deleted, the primary of a pair that served by then"),
    (563, "cancelling an operation hid that one of its accounts could not be put back"),
    (2099, "a teardown that was cancelled left the account with its channels closed"),
    (2538, "a teardown that a provider held up for an hour gave up half-way and nobody was paged"),
    (
        8301,
        "a restart that was asked for again was answered with what was so then, and hid that the instance had failed since",
    ),
    (
        8565,
        "a clock that had been ahead put a repair that went well last, and failed ones followed without a pause",
    ),
    (
        9996,
        "a clock that was an hour ahead hid that another operation had built the standby, and a retry deleted the primary",
    ),
    (
        10657,
        "a failover that was cancelled after the old primary was fenced left the new one without its channels",
    ),
    (
        20172,
        "a teardown that was cancelled while its last instance was being deleted left an account with nothing",
    ),
    (29036, "a fenced primary that somebody restarted served beside the one that had taken its place"),
    (29996, "the same, where the new primary came late to its channels"),
    (
        33586,
        "a clock that had been ahead hid that the standby was built anew, and a retried provision deleted its primary",
    ),
    (35270, "the same, where a retried teardown left the standby that was built since"),
    (
        100982,
        "a primary whose lease ended while a failover raised the generation and could not fence it was granted none again",
    ),
    (101342, "the same"),
    (106200, "the same"),
    (109834, "the same"),
    (111449, "the same"),
    (112631, "the same"),
    (
        1355,
        "a retried update of nodes counted one as done that had gone back, since nobody had heard of its way back",
    ),
    (
        203064,
        "a primary that a failover had stopped for certain was started again, and nobody wrote that its channels were open",
    ),
    (
        205669,
        "the oracle took a machine that a provider made twice for the one of that name that had been deleted",
    ),
    (
        232311,
        "a machine on which a standby was being made was put into one ring with the machine of its primary",
    ),
];
