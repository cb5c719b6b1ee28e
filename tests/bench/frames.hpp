// The bytes the raw benchmark programs exchange: zerorpc's `add(3, 4)`, its `OK 7`, and `echo` of a byte
// string, laid out as a stock python peer writes them, so that the raw echo moves exactly what a service
// moves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace zerosuite::bench {

using std::literals::operator""sv;

inline constexpr std::string_view kId = "b7dedaa958d941a59b09e98b72ef0fd4"sv;
inline constexpr std::string_view kOkSeven = "\xa2OK\x91\x07"sv;
/// Where the 32 characters of message_id, and of response_to where there is one, begin in every frame made
/// here.
inline constexpr std::size_t kIdOffset = 15;
inline constexpr std::size_t kResponseToOffset = 64;
/// How many of them are the counter; the rest is the sender's random base.
inline constexpr std::size_t kCounterDigits = 8;

/// The header's first two keys, in an open map of `keys` entries.
inline std::string header(char keys) {
  std::string out = "\x93";
  out += static_cast<char>('\x80' + keys);
  out.append("\xaamessage_id\xc4\x20"sv).append(kId).append("\xa1v\x03"sv);
  return out;
}

/// An event of the channel that kId opened, up to its name.
inline std::string reply_header() { return header(3).append("\xabresponse_to\xc4\x20"sv).append(kId); }

/// A call of `method`, up to its arguments.
inline std::string call_header(std::string_view method) {
  std::string out = header(2);
  out += static_cast<char>(0xa0U + method.size());
  return out.append(method);
}

/// `size` as the four big-endian bytes MessagePack counts with.
inline std::string big_endian(std::size_t size) {
  std::string out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(size >> shift & 0xffU);
  return out;
}

/// The 57 bytes of `add(3, 4)`.
inline std::string add_request() { return call_header("add").append("\x92\x03\x04"sv); }

/// The bytes of `OK 7`.
inline std::string ok_seven() { return reply_header().append(kOkSeven); }

/// `echo(bytes)` with a byte string of `size` bytes.
inline std::string echo_request(std::size_t size) {
  return call_header("echo").append("\x91\xc6"sv).append(big_endian(size)).append(size, 'x');
}

/// `slow_async(ms)`, which the test server answers after that long.
inline std::string slow_request(std::size_t ms) {
  return call_header("slow_async").append("\x91\xce"sv).append(big_endian(ms));
}

/// A heartbeat on the channel that kId opened.
inline std::string heartbeat() { return reply_header().append("\xa7_zpc_hb\x91\x00"sv); }

/// Writes `call` over the counter of the id at `offset` of a frame made above: calls open at one time need
/// ids of their own.
inline void number_id(std::string& frame, std::size_t offset, std::uint32_t call) {
  for (std::size_t i = kCounterDigits; i-- > 0; call >>= 4U)
    frame[offset + i] = "0123456789abcdef"[call & 0xfU];
}

}  // namespace zerosuite::bench
