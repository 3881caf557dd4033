//! Small words by what they do to an order; each list is looked through as it stands.

/// From here on a sentence tells why, not what.
pub const WHY: &str = "because|since|cause|cuz|due|as|so|otherwise|reason";

/// After a comma these begin an explanation: "restart i-7f3a, it hangs".
pub const TELLING: &str =
    "it|they|he|she|we|i|that|this|nobody|who|which|there|his|her|their|its|customer|user|seems|looks";

/// Another time than now.
pub const LATER: &str = "tomorrow|tonight|later|soon|afterwards|monday|tuesday|wednesday|thursday|friday|saturday|sunday\
    |weekend|midnight|noon|eventually|someday|after|before|once|next week|next month|in the morning\
    |in the evening|at night|this evening|this afternoon";

/// Nobody orders anything with these.
pub const DOUBTING: &str = "maybe|perhaps|might|wonder|wondering|possibly|probably|hypothetically|imagine|pretend|suppose\
    |supposedly|unsure|example|translate|quote|joking|kidding|or|either|theoretically|simulate\
    |pretending|through|thru";

/// What is not named itself but only set apart from what was.
pub const OTHERS: &str = "other|others|rest|remaining|else|twice|double|similar";

/// Something is taken out, or the whole is taken back.
pub const TAKING_BACK: &str = "not|never|neither|nor|nobody|none|nothing|almost|minus|except|excluding";

/// Small words that narrow nothing down, so that "all of the degraded ones right away" is as plain as "degraded".
pub const PLAIN: &str = "a|an|the|what|of|at|in|on|to|for|from|with|by|and|or|all|any|every|each|that|which|who|is|are|be|been|has\
    |have|must|should|needs|please|can|could|would|will|you|we|us|me|i|my|our|your|their|its|it|them\
    |they|these|those|this|one|ones|just|only|also|then|now|right|away|immediately|immediate|currently\
    |still|there|do|go|ahead|let|up|down|out|over|back|again|as|so|new|following|same|use|using|value\
    |key|field|option|batches|batch|size|time|once|rolling|validate|validating|validation|dry|run|first\
    |where|whichever|entire|together|kindly|quickly|quick|asap|safely|gently|carefully|want|like|need\
    |mode|strategy|state|status|openclaw|routing|true|false|off|null|companion|commander|leave|alone\
    |today|everyone|everybody|having|being|were|was|here|if|when|but|not|instead|per|simply|okay|ok|hey\
    |hi|well|alright|after|between|before|agents|bots|bot|claws|claw|process|processes|service|services\
    |second|seconds|secs|settle|settling|wait|waiting|each|batches|minute|minutes|min|mins|hour|hours|rest|max|maximum|parallel|concurrency|sitting|located|placed|hosted|running|based|idling|date|way|thing";

/// Whether the list holds this word.
pub fn lists(list: &str, word: &str) -> bool {
    list.split('|').any(|listed| listed == word)
}
