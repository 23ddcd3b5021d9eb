//! Wildcard expressions ([MS-FSA] 2.1.4.4), as FsRtlIsNameInExpression reads them.

use smb::NtStatus;

use super::upcase;

/// Longest pattern in characters: one component ([MS-FSCC] 2.1.5.2), which bounds the work
/// of a match at 255 × 255 steps.
pub const MAX_PATTERN_CHARACTERS: usize = 255;

/// What one file name must look like; without regard to case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// Folded character.
    Literal(char),
    /// `*`: any characters.
    Star,
    /// `?`: one character.
    QuestionMark,
    /// `<`: any characters but the name's last period.
    DosStar,
    /// `>`: one character, or none before a period or at the end.
    DosQuestionMark,
    /// `"`: a period, or none at the end.
    DosDot,
}

impl Pattern {
    /// Reads the FileName of QUERY_DIRECTORY; empty means everything.
    ///
    /// # Errors
    ///
    /// OBJECT_NAME_INVALID for separators, streams, control characters or more than
    /// [`MAX_PATTERN_CHARACTERS`].
    pub fn parse(pattern: &str) -> Result<Self, NtStatus> {
        if pattern.is_empty() {
            return Ok(Self {
                tokens: vec![Token::Star],
            });
        }
        let mut tokens = Vec::new();
        for (index, c) in pattern.chars().enumerate() {
            if index == MAX_PATTERN_CHARACTERS || c < ' ' || matches!(c, '\\' | '/' | ':' | '|') {
                return Err(NtStatus::OBJECT_NAME_INVALID);
            }
            let token = match c {
                '*' => Token::Star,
                '?' => Token::QuestionMark,
                '<' => Token::DosStar,
                '>' => Token::DosQuestionMark,
                '"' => Token::DosDot,
                c => Token::Literal(upcase(c)),
            };
            if token != Token::Star || tokens.last() != Some(&Token::Star) {
                tokens.push(token);
            }
        }
        Ok(Self { tokens })
    }

    /// Bytes that it holds beside itself.
    pub fn bytes(&self) -> usize {
        self.tokens.capacity() * size_of::<Token>()
    }

    /// Does it match every name?
    pub fn is_everything(&self) -> bool {
        self.tokens == [Token::Star]
    }

    /// The only name (but for case) that it matches, if it has no wildcard.
    pub fn literal(&self) -> Option<String> {
        let character = |token: &Token| match *token {
            Token::Literal(c) => Some(c),
            _ => None,
        };
        self.tokens.iter().map(character).collect()
    }

    /// Does `name` match? At most tokens × characters steps, whatever the pattern.
    pub fn matches(&self, name: &str) -> bool {
        if self.is_everything() {
            return true;
        }
        let last_period = name.rfind('.');
        let mut states = States::default();
        states.insert(0);
        for (at, c) in name.char_indices() {
            let next = self.step(states, upcase(c), last_period == Some(at));
            if next.is_empty() {
                return false;
            }
            states = next;
        }
        self.accepts_end(states)
    }

    /// One character of the name. A state is the number of tokens already matched.
    fn step(&self, mut states: States, c: char, last_period: bool) -> States {
        let mut next = States::default();
        // In rising order, so that a state which an empty match adds is met later.
        for (state, token) in self.tokens.iter().enumerate() {
            if !states.contains(state) {
                continue;
            }
            match *token {
                Token::Literal(literal) if literal == c => next.insert(state + 1),
                Token::Literal(_) => {}
                Token::QuestionMark => next.insert(state + 1),
                Token::Star => {
                    next.insert(state);
                    states.insert(state + 1);
                }
                Token::DosStar => {
                    if !last_period {
                        next.insert(state);
                    }
                    states.insert(state + 1);
                }
                Token::DosQuestionMark if c == '.' => states.insert(state + 1),
                Token::DosQuestionMark => next.insert(state + 1),
                Token::DosDot if c == '.' => next.insert(state + 1),
                Token::DosDot => {}
            }
        }
        next
    }

    fn accepts_end(&self, states: States) -> bool {
        let may_be_empty =
            |token: &Token| !matches!(token, Token::Literal(_) | Token::QuestionMark);
        let tail = self
            .tokens
            .iter()
            .rev()
            .take_while(|token| may_be_empty(token))
            .count();
        (self.tokens.len() - tail..=self.tokens.len()).any(|state| states.contains(state))
    }
}

/// A set of states 0 to [`MAX_PATTERN_CHARACTERS`].
#[derive(Clone, Copy, Default)]
struct States([u64; MAX_PATTERN_CHARACTERS / 64 + 1]);

impl States {
    fn insert(&mut self, state: usize) {
        self.0[state / 64] |= 1 << (state % 64);
    }

    fn contains(&self, state: usize) -> bool {
        self.0[state / 64] & (1 << (state % 64)) != 0
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }
}
