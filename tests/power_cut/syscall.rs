//! One line of an strace: a call of a process to the system, its beginning or its end.

use std::collections::HashMap;

/// A thread, as strace tells them apart.
pub type Thread = u32;

#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Whole(Call, Option<i64>),
    Begin(Call),
    End(Option<i64>),
}

/// What was asked of the system. Its text is all in hexadecimal (`strace -xx`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    args: Vec<String>,
}

/// `None` for what is no call: signals and ends of processes.
pub fn parse(line: &str) -> Option<(Thread, Line)> {
    let (thread, rest) = line.split_once(' ')?;
    let thread = thread.parse().ok()?;
    let rest = rest.trim_start();
    if rest.starts_with("+++") || rest.starts_with("---") {
        return None;
    }
    if let Some(resumed) = rest.strip_prefix("<... ") {
        return Some((thread, Line::End(returned(resumed))));
    }
    let (name, args) = rest.split_once('(')?;
    let call = |args: &str| Call { name: name.to_owned(), args: split(args) };
    if let Some(args) = args.strip_suffix(" <unfinished ...>") {
        return Some((thread, Line::Begin(call(args))));
    }
    let (args, _) = args.rsplit_once(" = ")?;
    let args = args.trim_end().strip_suffix(')')?;
    Some((thread, Line::Whole(call(args), returned(rest))))
}

/// `None` if the call failed, or its process ended in it.
fn returned(text: &str) -> Option<i64> {
    let (_, returned) = text.rsplit_once(" = ")?;
    let digits = returned.split(['<', ' ']).next()?;
    digits.parse().ok().filter(|returned| *returned >= 0)
}

/// At the commas outside of all brackets. There are none in text, which is hexadecimal.
fn split(args: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut depth, mut before) = (0, ' ');
    for letter in args.chars() {
        match letter {
            '[' | '{' | '<' | '(' => depth += 1,
            // The two ends of a connection have an arrow between them.
            '>' if before == '-' => {}
            ']' | '}' | '>' | ')' => depth -= 1,
            _ => {}
        }
        before = letter;
        match (letter, depth) {
            (',', 0) => parts.push(String::new()),
            (' ', 0) => {}
            _ => parts.last_mut().expect("one at least").push(letter),
        }
    }
    parts
}

impl Call {
    /// The descriptor at this place among the arguments; `None` for the working directory.
    pub fn fd(&self, place: usize) -> Option<i32> {
        self.args.get(place)?.split('<').next()?.parse().ok()
    }

    /// What strace says the descriptor at this place stands for.
    pub fn target(&self, place: usize) -> Option<String> {
        let (_, target) = self.args.get(place)?.split_once('<')?;
        Some(plain(target.strip_suffix('>')?))
    }

    pub fn number(&self, place: usize) -> Option<u64> {
        self.args.get(place)?.parse().ok()
    }

    pub fn text(&self, place: usize) -> Option<String> {
        Some(plain(self.args.get(place)?.trim_matches('"')))
    }

    pub fn has_flag(&self, place: usize, flag: &str) -> bool {
        self.args.get(place).is_some_and(|flags| flags.split('|').any(|it| it == flag))
    }

    /// All bytes that are handed over, from however many buffers.
    pub fn bytes(&self) -> Vec<u8> {
        let texts = self.args.iter().skip(1).flat_map(|arg| arg.split('"').skip(1).step_by(2));
        texts.flat_map(unhex).collect()
    }
}

fn plain(text: &str) -> String {
    match text.starts_with("\\x") {
        true => String::from_utf8_lossy(&unhex(text)).into_owned(),
        false => text.to_owned(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.filter_map(|digits| u8::from_str_radix(digits.get(..2)?, 16).ok()).collect()
}

/// Puts beginnings and ends of calls together again.
#[derive(Default)]
pub struct Unfinished(HashMap<Thread, usize>);

impl Unfinished {
    pub fn begin(&mut self, thread: Thread, place: usize) {
        self.0.insert(thread, place);
    }

    pub fn end(&mut self, thread: Thread) -> Option<usize> {
        self.0.remove(&thread)
    }
}

#[test]
fn lines_are_understood() {
    let whole = r#"12  pwrite64(7<\x2f\x64\x62>, "\x61\x62", 2, 512) = 2"#;
    let Some((12, Line::Whole(call, Some(2)))) = parse(whole) else { panic!("{:?}", parse(whole)) };
    assert_eq!(
        (call.name.as_str(), call.fd(0), call.target(0)),
        ("pwrite64", Some(7), Some("/db".to_owned()))
    );
    assert_eq!((call.bytes(), call.number(3)), (b"ab".to_vec(), Some(512)));

    let begin = r#"3     writev(9<\x2f\x61>, [{iov_base="\x61", iov_len=1}, {iov_base="\x62\x63", iov_len=2}], 2 <unfinished ...>"#;
    let Some((3, Line::Begin(call))) = parse(begin) else { panic!("{:?}", parse(begin)) };
    assert_eq!((call.fd(0), call.bytes()), (Some(9), b"abc".to_vec()));
    assert_eq!(parse("3     <... writev resumed>)            = 3"), Some((3, Line::End(Some(3)))));

    let tell = r#"5  writev(16<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{iov_base="\x61", iov_len=1}], 1) = 1"#;
    let Some((5, Line::Whole(call, Some(1)))) = parse(tell) else { panic!("{:?}", parse(tell)) };
    assert_eq!(
        (call.target(0), call.bytes()),
        (Some("TCP:[127.0.0.1:1->127.0.0.1:2]".to_owned()), b"a".to_vec())
    );

    let open = r#"4  openat(AT_FDCWD<\x2f>, "\x2f\x61", O_WRONLY|O_CREAT|O_CLOEXEC, 0666) = -1 ENOENT (No such file)"#;
    let Some((4, Line::Whole(call, None))) = parse(open) else { panic!("{:?}", parse(open)) };
    assert_eq!((call.fd(0), call.text(1)), (None, Some("/a".to_owned())));
    assert!(call.has_flag(2, "O_CREAT") && !call.has_flag(2, "O_TRUNC"));
    assert_eq!(parse("4  +++ killed by SIGABRT +++"), None);
}
