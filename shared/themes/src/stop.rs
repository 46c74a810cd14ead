//! Words that say nothing about the subject.

use std::sync::LazyLock;

use hashbrown::HashSet;

/// Whether a lower-case word is left out: it joins sentences, greets, or is said of everything.
pub(crate) fn is_stop(word: &str) -> bool {
    WORDS.contains(word)
}

static WORDS: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| [ENGLISH, LETTERS, OTHERS].iter().flat_map(|list| list.split_ascii_whitespace()).collect());

const ENGLISH: &str = "
a about above across after again against all almost along already also although always am among an and another any anybody
anyone anything are aren arent around as at away back be became because become been before behind being below between both but
by came can cannot cant come comes coming could couldn couldnt did didn didnt do does doesn doesnt doing don done dont down
during each either else enough etc even ever every everyone everything exactly few first for from further get gets getting
give gives given go goes going gone good got had hadn has hasn hasnt have haven havent having he her here hers him his how however
i id if ill im in inside instead into is isn isnt it its itself ive just keep keeps kind know known last later least less let lets
like little ll look looking looks lot made make makes making many may maybe me mean means might mine more most much must my
myself need needs neither never next no none nor not nothing now of off often ok on once one ones only onto or other others
our ours out outside over own per perhaps please put quite rather re real really s said same saw say says second see seem
seems seen several shall she should since so some somebody someone something sometimes somewhere soon still such sure t take
takes tell than that thats the their theirs them then there theres these they thing things think this those though three
through thus till to together told too took toward tried tries try trying two under unless until up upon us use used uses using
usually ve very via want wants was wasn wasnt way we well went were weren what whatever when whenever where whether which
while who whole whom whose why will with within without won wont would wouldn wouldnt yes yet you your yours yourself
able currently actually anyway simply basically probably possible possibly able really today yesterday tomorrow
";

const LETTERS: &str = "
hi hello hey dear team thanks thank regards greetings cheers sincerely best morning afternoon support everybody folks
advance hope hoping advise wondering
";

const OTHERS: &str = "
der die das den dem des ein eine einen einem einer und oder aber nicht ist sind war wird werden wir ich sie ihr uns es mit von
zu zum zur auf aus bei bis nach seit im am um an als wie wenn dass da hat haben kann für über auch nur noch schon bitte danke hallo
le la les un une des du de et ou mais ne pas est sont été nous vous je il elle ils on que qui dans sur avec pour par en au aux ce
cette ces se sa son ses plus merci bonjour
el los las unos unas y o pero no es son fue ser está están nos su sus lo que en con por para al del se como más ya muy hola gracias
um uma uns umas os as e ou mas não é são foi nós que em com por para ao aos da do das dos na no nas nos se como mais já olá obrigado
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_stay() {
        for word in ["refund", "timeout", "401", "webhook", "docs", "invoice"] {
            assert!(!is_stop(word), "{word}");
        }
        assert!(is_stop("the") && is_stop("wir") && is_stop("thanks"));
    }
}
