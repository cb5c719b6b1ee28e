// A doubly linked list through members of its elements: insertion and removal are O(1) and do not allocate.
#pragma once

#include <cstddef>

namespace zerosuite::proxy {

template <class T>
struct ListHook {
  T* next = nullptr;
  T* previous = nullptr;
};

/// Elements in insertion order. Does not own them: remove an element before destroying it. Not thread-safe.
template <class T, ListHook<T> T::*hook>
class IntrusiveList {
 public:
  bool empty() const { return first_ == nullptr; }
  std::size_t size() const { return size_; }
  T* first() const { return first_; }
  T* last() const { return last_; }
  static T* after(const T& element) { return (element.*hook).next; }
  static T* before(const T& element) { return (element.*hook).previous; }

  void append(T& element) {
    (element.*hook) = {nullptr, last_};
    (last_ ? (last_->*hook).next : first_) = &element;
    last_ = &element;
    ++size_;
  }
  void remove(T& element) {
    const ListHook<T> around = element.*hook;
    (around.previous ? (around.previous->*hook).next : first_) = around.next;
    (around.next ? (around.next->*hook).previous : last_) = around.previous;
    element.*hook = {};
    --size_;
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace zerosuite::proxy
