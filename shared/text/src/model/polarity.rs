//! Words of joy and of anger, of our own making: a small table, strong words counting double, with their usual endings.

use std::sync::LazyLock;

use super::hash;
use super::tokens::Tokens;

/// Words by strength and endings that they take: `s ed ing` as for verbs, `ly er est` as for adjectives, none.
const TABLE: &[(i8, &str, &str)] = &[
    (2, "s d r rs ing", "love ador"),
    (
        2,
        "",
        "love loved loves loving lovely adore awesome amazing amazingly excellent fantastic wonderful brilliant superb outstanding perfect perfectly marvelous marvellous fabulous magnificent incredible exceptional phenomenal stellar terrific best greatest favorite favourite gorgeous kudos bravo congratulations congrats hooray yay woohoo wow masterpiece genius flawless impeccable excited exciting thrilled delighted delightful delight grateful gratitude thx ty impressive impressed :)",
    ),
    (
        1,
        "",
        "great good nice nicely glad happy happily pleased pleasant enjoy enjoyed enjoying enjoyable helpful useful usefully cool neat sweet beautiful beautifully elegant elegantly clean clever smart smartly handy easy easily simple fast smooth smoothly reliable robust solid stable intuitive convenient well thank thanks thankful appreciate appreciated appreciates cheers please fun funny interesting interested fine correct correctly right better improved improvement improves improvement works worked solved fixed helped helps win winner success successful successfully lucky luckily hope hopefully hopeful welcome agree agreed like liked likes recommend recommended valuable worth worthy super yes yeah yep yup lol haha hehe enthusiastic friendly kind kindly generous comfortable confident safe proud praise gem slick polished lightweight powerful rocks rock saved saver lifesaver upvote upvoted +1 bless blessed cute charm charming fascinating fortunately gladly positive promising refreshing satisfied satisfying satisfaction splendid tidy trust trusted wise :p ♥ ❤ 👍 😀 😃 😄 😊 😍 🎉 🙏 🚀 💯",
    ),
    (
        -2,
        "",
        "hate hated hates hating awful awfully terrible terribly horrible horribly horrid horrendous atrocious abysmal dreadful worst disgusting disgusted disgrace pathetic useless worthless garbage trash rubbish crap crappy shit shitty bullshit fuck fucking fucked wtf damn dammit goddamn hell stupid stupidly idiot idiotic idiots moron moronic dumb insane insanely ridiculous ridiculously absurd nightmare disaster catastrophe catastrophic furious rage outrage outrageous unacceptable unusable sucks suck sucked sucky suckage screw screwed pissed abomination evil nasty hideous despise detest loathe lame bloody fail epic :(",
    ),
    (
        -1,
        "",
        "bad badly poor poorly sad sadly sorry afraid fear fears scared scary annoy annoyed annoying annoyingly annoys frustrate frustrated frustrating frustratingly frustration irritate irritated irritating disappoint disappointed disappointing disappointment confuse confused confusing confusion ugly weird weirdly strange odd broken break breaks broke buggy bug bugs crash crashes crashed crashing fails failed failing failure wrong wrongly worse worsen painful pain painfully hard difficult difficulty struggle struggled struggling stuck trouble troubles troublesome problem problems problematic issue issues error errors mess messy messed hack hacky kludge ugly slow slower slowly sluggish bloated clunky cumbersome tedious boring bored tired complain complained complaining complaint unfortunately unhappy upset angry mad shame shameful ashamed embarrassing embarrassed regret regretted doubt doubtful worried worry worrying worries concern concerned dangerous danger risky unsafe insecure unreliable unstable flaky inconsistent misleading mislead misled lie lies lying liar dishonest nonsense silly foolish ignorant ignore ignored ignores ignoring lazy careless sloppy reckless pointless meaningless hopeless desperate desperately hopelessly impossible unable cannot inability lack lacks lacking lost lose loses losing loss waste wasted wasting wasteful overkill overpriced expensive kill kills killed killing dead die dies died dying hurt hurts suffer suffers suffered suffering sick blame blamed fault faulty defect defective corrupt corrupted corrupts deprecated obsolete outdated unclear vague ambiguous unintuitive unnecessary unnecessarily unneeded unwanted undesirable unexpected unexpectedly unfair unfriendly rude arrogant hostile offensive insulting insult ridicule mock dislike disliked dislikes disagree disagreed object oppose refuse refused reject rejected deny denied horrify suspicious suspect sin crazy freaking freak ugh argh grr meh nope oops ouch yuck sigh alas hmm damned burden bother bothered bothering bothers hassle headache rant rage torture beware bitten bites bite apologies apologize apologise embarrass miss missed missing disable useless overwhelm overwhelmed overwhelming miserable misery gross creepy :/ 👎 😞 😠 😡 😢 😭 😕 🤦 💩",
    ),
];

/// Words that turn what follows into its opposite.
const DENIES: &str = "not no never cannot cant dont doesnt didnt isnt wasnt wont without hardly nothing neither nor none barely";
/// How many words a denial reaches.
const REACH: usize = 3;

/// What one word adds to the tone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Of joy (above 0) or of anger.
    strength: i8,
    /// Whether it denies what follows.
    pub(super) denies: bool,
}

static WORDS: LazyLock<hash::ByWord<Word>> = LazyLock::new(|| {
    let mut words = hash::ByWord::<Word>::default();
    for (strength, endings, list) in TABLE {
        for word in list.split(' ') {
            if endings.is_empty() {
                words.entry(hash::word(word)).or_default().strength = *strength;
            }
            for ending in endings.split(' ').filter(|e| !e.is_empty()) {
                words.entry(hash::word(&format!("{word}{ending}"))).or_default().strength = *strength;
            }
        }
    }
    DENIES.split(' ').for_each(|word| words.entry(hash::word(word)).or_default().denies = true);
    words
});

/// What a word adds to the tone.
pub(super) fn word(hash: u64, text: &str) -> Word {
    let known = WORDS.get(&hash).copied().unwrap_or_default();
    Word { denies: known.denies || text.ends_with("n't"), ..known }
}

/// What the words of a text add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Polarity {
    pub(super) joy: i32,
    pub(super) anger: i32,
    pub(super) joyful: u32,
    pub(super) angry: u32,
    pub(super) strongest: i32,
    pub(super) weakest: i32,
    pub(super) last: i32,
    pub(super) first: i32,
}

impl Polarity {
    pub(super) fn of(tokens: &Tokens) -> Self {
        let (mut sum, mut denied) = (Self::default(), 0_usize);
        for token in tokens.all() {
            let value = i32::from(token.tone.strength);
            // A denied word of joy is anger, a denied word of anger hardly joy.
            let value = match (denied > 0, value) {
                (true, v) if v > 0 => -v,
                (true, v) if v < 0 => 0,
                (_, v) => v,
            };
            sum.add(value);
            denied = if token.tone.denies {
                REACH
            } else if token.word {
                denied.saturating_sub(1)
            } else {
                0
            };
        }
        sum
    }

    fn add(&mut self, value: i32) {
        if value == 0 {
            return;
        }
        if value > 0 {
            self.joy += value;
            self.joyful += 1;
        } else {
            self.anger -= value;
            self.angry += 1;
        }
        self.strongest = self.strongest.max(value);
        self.weakest = self.weakest.min(value);
        self.last = value;
        if self.first == 0 {
            self.first = value;
        }
    }
}
