#include "rpc/server/event_writer.hpp"

#include <exception>

#include "core/text.hpp"

namespace zerosuite::rpc {
namespace {

using core::Error;

// repr() of a Python string, for the one-string errors of protocol version 1.
std::string python_repr(std::string_view text) {
  const char quote = text.find('\'') != text.npos && text.find('"') == text.npos ? '"' : '\'';
  std::string repr(1, quote);
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      repr += {'\\', c};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      repr += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else if (code < 0x20 || code == 0x7f) {
      repr += "\\x" + core::hex({&c, 1});
    } else {
      repr += c;
    }
  }
  return repr + quote;
}

// An error must reach its client even when its text contains unchecked, unbounded bytes, such as the name of
// an unknown method. The text is sent twice, since the traceback repeats it.
std::string presentable(std::string_view text) {
  constexpr std::size_t kLongest = 4096;
  if (!core::is_utf8(text)) return "(text that is not valid UTF-8)";
  if (text.size() <= kLongest) return std::string(text);
  std::size_t end = kLongest;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a character
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace

Error current_error() {
  try {
    throw;
  } catch (const core::Failure& failure) {
    return failure.error();
  } catch (const wire::Mismatch& mismatch) {
    return wire::to_error(mismatch);
  } catch (const std::invalid_argument& bad) {
    return {core::kValueError, bad.what()};
  } catch (const std::exception& other) {
    return {core::kInternalError, other.what()};
  } catch (...) {
    return {core::kInternalError, "the method threw something that is not an exception"};
  }
}

wire::Packer EventWriter::begin(const CallInfo& call, std::string_view event) {
  buffer_.clear();
  context_.clear();
  for (Observer* observer : observers_) observer->outgoing(call, context_);
  wire::begin_event(buffer_, {ids_.next(), call.id, event, &context_});
  return wire::Packer(buffer_);
}

Delivery EventWriter::send(const CallInfo& call) {
  if (buffer_.size() > max_frame_bytes_) {
    const std::string size = std::to_string(buffer_.size());
    buffer_ = wire::Buffer();
    throw core::Failure(core::kTooLarge, "the answer has " + size + " bytes; the limit is " +
                                             std::to_string(max_frame_bytes_));
  }
  return sink_.send(*call.peer, buffer_);
}

Delivery EventWriter::error(const CallInfo& call, const Error& error) {
  ++errors_;
  for (Observer* observer : observers_) observer->failed(call, error);
  const std::string name = presentable(error.name);
  const std::string message = presentable(error.text());
  wire::Packer out = begin(call, wire::kErr);
  if (call.version < 2) {
    out.pack_array(1);
    wire::pack_text(out, name + "(" + python_repr(message) + ")");
  } else {
    out.pack_array(3);
    wire::pack_text(out, name);
    wire::pack_text(out, message);
    // Never empty: str(RemoteError) in python shows only this when it is not nil.
    wire::pack_text(out, name + ": " + message + "\n");
  }
  return sink_.send(*call.peer, buffer_);
}

Delivery EventWriter::stream_done(const CallInfo& call) {
  for (Observer* observer : observers_) observer->after(call);
  begin(call, wire::kStreamDone).pack_nil();
  return send(call);
}

Delivery EventWriter::heartbeat(const CallInfo& call) {
  buffer_.clear();
  wire::begin_event(buffer_, {ids_.next(), call.id, wire::kHeartbeat, nullptr});
  wire::Packer out(buffer_);
  out.pack_array(1);
  wire::pack(out, 0);  // protocol 2 reads it as a grant of no credit
  return sink_.send(*call.peer, buffer_);
}

}  // namespace zerosuite::rpc
