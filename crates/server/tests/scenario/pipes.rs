//! How an open of a pipe is read, by bytes or by messages ([MS-FSCC] 2.4.37).

use netsession::smb_client::{Open, TreeConnect};
use smb::wire::info::FilePipeInformation;
use smb::wire::{
    QueryInfoRequest, QueryInfoResponse, SetInfoRequest, file_information_class, info_type,
};

use super::*;

/// Answers a message with its words, each a message.
struct Words;

#[derive(Default)]
struct WordsPipe(std::collections::VecDeque<Vec<u8>>);

impl PipeService for Words {
    fn open(&self, _caller: Caller) -> Result<Box<dyn Pipe>, NtStatus> {
        Ok(Box::new(WordsPipe::default()))
    }
}

impl Pipe for WordsPipe {
    fn write(&mut self, message: &[u8]) -> Result<(), NtStatus> {
        let words = message.split(|byte| *byte == b' ');
        self.0.extend(words.map(<[u8]>::to_vec));
        Ok(())
    }

    fn read(&mut self, max: usize) -> PipeRead {
        let Some(mut bytes) = self.0.pop_front() else {
            return PipeRead::Empty;
        };
        let rest = bytes.split_off(max.min(bytes.len()));
        let more = !rest.is_empty();
        if more {
            self.0.push_front(rest);
        }
        PipeRead::Data { bytes, more }
    }

    fn available(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn take_close_after_reply(&mut self) -> Vec<Ending> {
        Vec::new()
    }
}

async fn words(scene: &Scene) -> (TreeConnect, Open) {
    scene.server.register_pipe("words", Arc::new(Words));
    let connection = scene.connect(ALICE).await;
    let alice = logon(&connection, "alice").await;
    let ipc = alice.tree_connect("test", "IPC$").await.unwrap();
    let pipe = ipc.create("words", &Create::pipe()).await.unwrap();
    (ipc, pipe)
}

async fn set_mode(ipc: &TreeConnect, pipe: &Open, buffer: &[u8]) -> NtStatus {
    let request = SetInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: file_information_class::FILE_PIPE_INFORMATION,
        additional_information: 0,
        file_id: pipe.file_id(),
        buffer,
    };
    let response = ipc
        .request(Command::SET_INFO, 0, |out| request.write(out))
        .await;
    response.unwrap().status()
}

fn mode(read_mode: u32, completion_mode: u32) -> Vec<u8> {
    let mut buffer = Vec::new();
    FilePipeInformation {
        read_mode,
        completion_mode,
    }
    .write(&mut buffer);
    buffer
}

async fn queried_mode(ipc: &TreeConnect, pipe: &Open) -> Vec<u8> {
    let request = QueryInfoRequest {
        info_type: info_type::SMB2_0_INFO_FILE,
        file_info_class: file_information_class::FILE_PIPE_INFORMATION,
        output_buffer_length: 8,
        additional_information: 0,
        flags: 0,
        file_id: pipe.file_id(),
        input_buffer: &[],
    };
    let response = ipc
        .request(Command::QUERY_INFO, 8, |out| request.write(out))
        .await
        .unwrap()
        .success()
        .unwrap();
    let answer = QueryInfoResponse::read(response.message()).unwrap();
    answer.output_buffer.to_vec()
}

async fn read(pipe: &Open, length: u32) -> (Vec<u8>, NtStatus) {
    let data = pipe.read(0, length).await.unwrap();
    (data.to_vec(), data.status())
}

#[tokio::test]
async fn a_pipe_is_read_as_a_stream_until_the_client_asks_for_messages() {
    let scene = Scene::new(|_| {});
    let (ipc, pipe) = words(&scene).await;
    assert_eq!(queried_mode(&ipc, &pipe).await, mode(0, 0));
    pipe.write(0, b"one two three").await.unwrap();
    assert_eq!(read(&pipe, 5).await, (b"onetw".to_vec(), NtStatus::SUCCESS));
    assert_eq!(
        read(&pipe, 65_536).await,
        (b"othree".to_vec(), NtStatus::SUCCESS)
    );

    assert_eq!(set_mode(&ipc, &pipe, &mode(1, 0)).await, NtStatus::SUCCESS);
    assert_eq!(queried_mode(&ipc, &pipe).await, mode(1, 0));
    pipe.write(0, b"one two three").await.unwrap();
    assert_eq!(
        read(&pipe, 2).await,
        (b"on".to_vec(), NtStatus::BUFFER_OVERFLOW)
    );
    for rest in ["e", "two", "three"] {
        assert_eq!(
            read(&pipe, 65_536).await,
            (rest.as_bytes().to_vec(), NtStatus::SUCCESS)
        );
    }

    assert_eq!(set_mode(&ipc, &pipe, &mode(0, 0)).await, NtStatus::SUCCESS);
    pipe.write(0, b"a b").await.unwrap();
    assert_eq!(read(&pipe, 9).await, (b"ab".to_vec(), NtStatus::SUCCESS));
}

#[tokio::test]
async fn a_pipe_that_never_waits_says_that_it_is_empty() {
    let scene = Scene::new(|_| {});
    let (ipc, pipe) = words(&scene).await;
    assert_eq!(set_mode(&ipc, &pipe, &mode(0, 1)).await, NtStatus::SUCCESS);
    assert_eq!(status(pipe.read(0, 9).await), NtStatus::PIPE_EMPTY);
    pipe.write(0, b"x").await.unwrap();
    assert_eq!(read(&pipe, 9).await, (b"x".to_vec(), NtStatus::SUCCESS));
}

#[tokio::test]
async fn modes_that_do_not_exist_are_refused() {
    let scene = Scene::new(|_| {});
    let (ipc, pipe) = words(&scene).await;
    let invalid = NtStatus::INVALID_PARAMETER;
    assert_eq!(set_mode(&ipc, &pipe, &mode(2, 0)).await, invalid);
    assert_eq!(set_mode(&ipc, &pipe, &mode(0, 2)).await, invalid);
    let short = set_mode(&ipc, &pipe, &mode(1, 0)[..7]).await;
    assert_eq!(short, NtStatus::INFO_LENGTH_MISMATCH);
    assert_eq!(queried_mode(&ipc, &pipe).await, mode(0, 0));
}

#[tokio::test]
async fn an_exchange_and_a_read_of_more_than_64_kib_give_one_message() {
    let scene = Scene::new(|_| {});
    let (_ipc, pipe) = words(&scene).await;
    let (status, output) = pipe.transceive(b"one two three", 65_536).await.unwrap();
    assert_eq!((status, &*output), (NtStatus::SUCCESS, &b"one"[..]));
    for rest in ["two", "three"] {
        assert_eq!(
            read(&pipe, 1 << 20).await,
            (rest.as_bytes().to_vec(), NtStatus::SUCCESS)
        );
    }
    let (status, output) = pipe.transceive(b"four", 3).await.unwrap();
    assert_eq!((status, &*output), (NtStatus::BUFFER_OVERFLOW, &b"fou"[..]));
}
