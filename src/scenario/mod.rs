//! The scenario document: conversion, complete checking, expressions, the built-in catalogue.
