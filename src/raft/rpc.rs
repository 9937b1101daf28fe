//! Raft's requests and answers as messages, and back.

use openraft::alias::VoteOf;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, TransferLeaderError, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};

use super::types::{
    RaftLogId, TypeConfig, entry_from_message, entry_to_message, log_id_from_message, log_id_to_message,
    vote_from_message, vote_to_message,
};
use crate::encoding::DecodeError;
use crate::format::Formats;
use crate::message;

/// The generated messages of `peer.proto`.
pub mod peer {
    tonic::include_proto!("rs_registry.peer.v1");
}

type Vote = VoteOf<TypeConfig>;

fn ids(log_id: &Option<RaftLogId>) -> Option<message::LogId> {
    log_id.as_ref().map(log_id_to_message)
}

fn ids_back(log_id: &Option<message::LogId>) -> Option<RaftLogId> {
    log_id.as_ref().map(log_id_from_message)
}

pub fn append_to_message(request: &AppendEntriesRequest<TypeConfig>) -> peer::AppendRequest {
    peer::AppendRequest {
        vote: Some(vote_to_message(&request.vote)),
        prev: ids(&request.prev_log_id),
        entries: request.entries.iter().map(entry_to_message).collect(),
        leader_commit: ids(&request.leader_commit),
    }
}

pub fn append_from_message(
    request: peer::AppendRequest,
    formats: Formats,
) -> Result<AppendEntriesRequest<TypeConfig>, DecodeError> {
    let entries = request.entries.into_iter().map(|entry| entry_from_message(entry, formats));
    Ok(AppendEntriesRequest {
        vote: vote_from_message(request.vote)?,
        prev_log_id: ids_back(&request.prev),
        entries: entries.collect::<Result<_, _>>()?,
        leader_commit: ids_back(&request.leader_commit),
    })
}

pub fn appended_to_message(response: &AppendEntriesResponse<TypeConfig>) -> peer::AppendResponse {
    use peer::append_response::{Matched, Result};
    let result = match response {
        AppendEntriesResponse::Success => Result::Success(true),
        AppendEntriesResponse::PartialSuccess(matched) => {
            Result::PartialSuccess(Matched { log_id: ids(matched) })
        }
        AppendEntriesResponse::Conflict => Result::Conflict(true),
        AppendEntriesResponse::HigherVote(vote) => Result::HigherVote(vote_to_message(vote)),
    };
    peer::AppendResponse { result: Some(result) }
}

pub fn appended_from_message(
    response: peer::AppendResponse,
) -> Result<AppendEntriesResponse<TypeConfig>, DecodeError> {
    use peer::append_response::Result;
    Ok(match response.result.ok_or(DecodeError::Missing("a result"))? {
        Result::Success(_) => AppendEntriesResponse::Success,
        Result::PartialSuccess(matched) => AppendEntriesResponse::PartialSuccess(ids_back(&matched.log_id)),
        Result::Conflict(_) => AppendEntriesResponse::Conflict,
        Result::HigherVote(vote) => AppendEntriesResponse::HigherVote(vote_from_message(Some(vote))?),
    })
}

pub fn vote_request_to_message(request: &VoteRequest<TypeConfig>) -> peer::VoteRequest {
    peer::VoteRequest {
        vote: Some(vote_to_message(&request.vote)),
        last_log_id: ids(&request.last_log_id),
        leadership_transfer: request.leadership_transfer,
    }
}

pub fn vote_request_from_message(request: peer::VoteRequest) -> Result<VoteRequest<TypeConfig>, DecodeError> {
    let mut vote = VoteRequest::new(vote_from_message(request.vote)?, ids_back(&request.last_log_id));
    vote.leadership_transfer = request.leadership_transfer;
    Ok(vote)
}

pub fn voted_to_message(response: &VoteResponse<TypeConfig>) -> peer::VoteResponse {
    peer::VoteResponse {
        vote: Some(vote_to_message(&response.vote)),
        granted: response.vote_granted,
        last_log_id: ids(&response.last_log_id),
    }
}

pub fn voted_from_message(response: peer::VoteResponse) -> Result<VoteResponse<TypeConfig>, DecodeError> {
    let vote: Vote = vote_from_message(response.vote)?;
    Ok(VoteResponse::new(vote, ids_back(&response.last_log_id), response.granted))
}

pub fn transfer_to_message(request: &TransferLeaderRequest<TypeConfig>) -> peer::TransferLeaderRequest {
    peer::TransferLeaderRequest {
        from: Some(vote_to_message(request.from_leader())),
        to: *request.to_node_id(),
        last_log_id: request.last_log_id().map(log_id_to_message),
    }
}

pub fn transfer_from_message(
    request: peer::TransferLeaderRequest,
) -> Result<TransferLeaderRequest<TypeConfig>, DecodeError> {
    let from = vote_from_message(request.from)?;
    Ok(TransferLeaderRequest::new(from, request.to, ids_back(&request.last_log_id)))
}

pub fn transferred_to_message(response: &TransferLeaderResponse<TypeConfig>) -> peer::TransferLeaderResponse {
    use peer::transfer_leader_response::{LogNotFlushed, Refusal, VoteChanged};
    let refusal = response.as_ref().err().map(|error| match error {
        TransferLeaderError::VoteChanged { expected, actual } => Refusal::VoteChanged(VoteChanged {
            expected: Some(vote_to_message(expected)),
            actual: Some(vote_to_message(actual)),
        }),
        TransferLeaderError::LogNotFlushed { expected, actual } => {
            Refusal::LogNotFlushed(LogNotFlushed { expected: ids(expected), actual: ids(actual) })
        }
    });
    peer::TransferLeaderResponse { refusal }
}

pub fn transferred_from_message(
    response: peer::TransferLeaderResponse,
) -> Result<TransferLeaderResponse<TypeConfig>, DecodeError> {
    use peer::transfer_leader_response::Refusal;
    Ok(match response.refusal {
        None => Ok(()),
        Some(Refusal::VoteChanged(changed)) => Err(TransferLeaderError::VoteChanged {
            expected: vote_from_message(changed.expected)?,
            actual: vote_from_message(changed.actual)?,
        }),
        Some(Refusal::LogNotFlushed(behind)) => Err(TransferLeaderError::LogNotFlushed {
            expected: ids_back(&behind.expected),
            actual: ids_back(&behind.actual),
        }),
    })
}
