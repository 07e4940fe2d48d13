//! Functions that lints have something to say of.
#![expect(dead_code, reason = "nobody calls them")]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub struct Loader {
    pub root: String,
}

#[ragtrace::traced_stage]
pub fn adds(a: u32, b: u32) -> u32 {
    a + b
}

#[ragtrace::traced_stage]
pub fn returns(a: u32) -> u32 {
    return a;
}

#[ragtrace::traced_stage]
pub fn maps(value: Option<u32>) -> Option<u32> {
    value.map(|value| value + 1)
}

#[ragtrace::traced_stage]
#[inline(always)]
pub fn inlined(a: u32) -> u32 {
    a.wrapping_add(1)
}

#[ragtrace::traced_stage]
pub fn unused(text: String, number: u32, _kept: Vec<u8>) -> usize {
    let other = 1;
    text.len()
}

#[ragtrace::traced_stage]
pub fn shadows(text: &str) -> usize {
    let text = text.trim();
    let text = text.len();
    text
}

#[ragtrace::traced_stage]
pub fn unwraps(text: &str) -> u32 {
    let n: u32 = text.parse().unwrap();
    if n > 100 {
        panic!("too large");
    }
    n as u32
}

#[ragtrace::traced_stage]
pub fn by_value(text: String) -> usize {
    println!("{}", text);
    text.len()
}

#[ragtrace::traced_stage]
pub fn mutates(mut values: Vec<u32>, mut n: u32) -> Vec<u32> {
    n += 1;
    values.push(n);
    values
}

#[ragtrace::traced_stage]
pub fn mut_for_nothing(mut values: Vec<u32>) -> usize {
    values.len()
}

#[ragtrace::traced_stage]
pub fn fails(text: &str) -> Result<u32, std::num::ParseIntError> {
    let n = text.parse::<u32>()?;
    Ok(n)
}

#[ragtrace::traced_stage]
pub fn matches_one(value: Option<u32>) -> u32 {
    match value {
        Some(n) => n,
        None => 0,
    }
}

#[ragtrace::traced_stage]
pub fn unit(values: &[u32]) {
    for i in 0..values.len() {
        print!("{}", values[i]);
    }
}

#[ragtrace::traced_stage]
pub async fn waits(text: &str) -> usize {
    std::future::ready(()).await;
    let words: Vec<&str> = text.split(" ").collect();
    words.len()
}

#[ragtrace::traced_stage]
pub async fn waits_and_returns(text: String, other: String) -> Result<String, String> {
    std::future::ready(()).await;
    if text.len() == 0 {
        return Err("empty".to_string());
    }
    return Ok(text.clone());
}

#[ragtrace::traced_stage]
pub async fn waits_for_nothing(n: u32) -> u32 {
    n
}

#[ragtrace::traced_stage]
pub fn opaque(n: u32) -> impl Future<Output = u32> + Send {
    std::future::ready(n)
}

#[ragtrace::traced_stage]
pub fn boxed<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
    Box::pin(async move { text.len() })
}

impl Loader {
    #[ragtrace::traced_stage]
    pub fn of_self(&self, path: &str) -> String {
        format!("{}/{}", self.root, path)
    }

    #[ragtrace::traced_stage]
    pub fn without_self(&self, path: &str) -> usize {
        path.len()
    }

    #[ragtrace::traced_stage]
    pub async fn waits(self: Arc<Self>) -> usize {
        std::future::ready(()).await;
        self.root.len()
    }

    #[ragtrace::traced_stage]
    pub fn into_root(self) -> String {
        self.root
    }
}

macro_rules! function_of {
    ($name:ident $body:block) => {
        #[ragtrace::traced_stage]
        pub fn $name() -> u32 $body
    };
}

function_of!(one { 1 });
function_of!(two { let n = 2; n });

macro_rules! async_function_of {
    ($name:ident $body:block) => {
        #[ragtrace::traced_stage]
        pub async fn $name() -> u32 $body
    };
}

async_function_of!(three { 3 });
macro_rules! block_of {
    ($name:ident $body:block) => {
        pub fn $name() -> u32 {
            ragtrace::stage!("block", $body)
        }
    };
}

block_of!(five { 5 });
block_of!(six { let n = 6; n });
async_function_of!(four { std::future::ready(4).await });

fn main() {}
