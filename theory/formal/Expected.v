(** * Two sizes in expectation: departures that are really random

    Every request departs with probability [p] at every step, independently of everything before;
    what is admitted may depend on all that happened.  The recursion of [Recursion.v] then bounds
    the expected average imbalance with no assumption on how the runs are distributed, given a
    bound [F] of the mean deviations of a step for fixed loads, such as that of [Tail.v]. *)

From Coq Require Import Reals Lra ZArith List Lia.
From evenkeel Require Import Loads Step Departures Recursion Tail.
Import ListNotations.
Open Scope R_scope.

(** The loads of the requests on every worker at a step, as a function of the past: of the states
    of all earlier steps, the last first, with what departed. *)
Definition rule : Type := list state -> list (list Z).

Definition loads_of (st : state) : list (list Z) := map (map fst) st.

(** Pasts that the rule and some departures lead to. *)
Inductive reachable (plan : rule) : list state -> Prop :=
  | at_the_start : reachable plan []
  | one_more : forall st past, reachable plan past -> loads_of st = plan past ->
      reachable plan (st :: past).

(** All slots are full at first, and after every past and all departures an optimal admission from
    a pool that offers both sizes leads to the loads of the next step. *)
Definition exact_rule (G B : nat) (x delta : Z) (plan : rule) : Prop :=
  (length (plan []) = G /\ Forall (fun ws => length ws = B) (plan [])) /\
  forall st past next, reachable plan (st :: past) -> loads_of next = plan (st :: past) ->
    moves (of_two_sizes x delta) st next.

(** Imbalance of the loads, and its expected sum over the next [K] steps. *)
Definition imb_of (loads : list (list Z)) : R := IZR (imbalance (map sum loads)).

Fixpoint E_sum (p : R) (K : nat) (plan : rule) (past : list state) : R :=
  match K with
  | O => 0
  | S k => E_state p (plan past) (fun st => imb_of (loads_of st) + E_sum p k plan (st :: past))
  end.

Lemma imb_is_of_loads : forall st, imb st = imb_of (loads_of st).
Proof. intros st. unfold imb, imb_of, loads_of. now rewrite map_map. Qed.

Lemma full_from_loads : forall G B (st : state) loads, loads_of st = loads -> length loads = G ->
  Forall (fun ws => length ws = B) loads -> full G B st.
Proof.
  intros G B st loads <- L F. unfold loads_of in *. split; [now rewrite map_length in L|].
  apply Forall_map in F. eapply Forall_impl; [|exact F]. intros jobs Q.
  cbv beta in Q. now rewrite map_length in Q.
Qed.

(** Loads with no departure marked. *)
Definition unmarked (loads : list (list Z)) : state := map (map (fun w => (w, false))) loads.

Lemma loads_unmarked : forall loads, loads_of (unmarked loads) = loads.
Proof.
  intros loads. unfold loads_of, unmarked. rewrite map_map, <- map_id. apply map_ext. intros ws.
  rewrite map_map. apply map_id.
Qed.

Lemma loads_stay_full : forall G B x delta plan, (1 <= G)%nat -> exact_rule G B x delta plan ->
  forall past, reachable plan past ->
  length (plan past) = G /\ Forall (fun ws => length ws = B) (plan past).
Proof.
  intros G B x delta plan g [L M] past H. induction H as [|st past H IH E]; [exact L|].
  set (next := unmarked (plan (st :: past))).
  assert (N : loads_of next = plan (st :: past)) by apply loads_unmarked.
  destruct IH as [I1 I2]. assert (F := full_from_loads G B st _ E I1 I2).
  destruct (M st past next (one_more _ _ _ H E) N) as (pool & groups & growth & [O [A _]] & S).
  destruct (after_a_step G B st pool groups growth next g F (enough_to_fill _ _ _ O) A S)
    as [[F1 F2] _].
  rewrite <- N. unfold loads_of. split; [now rewrite map_length|].
  apply Forall_map. eapply Forall_impl; [|exact F2]. intros jobs Q. now rewrite map_length.
Qed.

(** Over [K] steps the expected average imbalance is at most
    [((G - 1) (delta - 1) + F) / p + Imb_0 / (p K)], with [F] a bound of the mean deviations of a
    step for the loads after every past. *)
Lemma two_size_expected : forall G B K p x delta F plan,
  (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 -> (1 <= delta)%Z -> exact_rule G B x delta plan ->
  (forall past, reachable plan past -> (length past < K)%nat ->
     E_state p (plan past) (deviations B p x delta) <= F) ->
  E_sum p K plan [] / INR K
  <= ((INR G - 1) * (IZR delta - 1) + F) / p + imb_of (plan []) / (p * INR K).
Proof.
  intros G B K p x delta F plan g k1 P d E D. set (c := (INR G - 1) * (IZR delta - 1)).
  assert (P' : 0 <= p <= 1) by lra.
  assert (H : forall k past, reachable plan past -> (length past + k <= K)%nat ->
    p * E_sum p k plan past <= imb_of (plan past) + INR k * (c + F)).
  { induction k as [|k IH]; intros past R L.
    - assert (0 <= imb_of (plan past)) by apply (IZR_le 0), imbalance_nonnegative.
      cbn [E_sum INR]. lra.
    - destruct (loads_stay_full G B x delta plan g E past R) as [L1 L2].
      assert (Dp := D past R ltac:(lia)). cbn [E_sum].
      apply Rle_trans with (E_state p (plan past) (fun st =>
        1 * deviations B p x delta st + (imb_of (plan past) + c + INR k * (c + F)))).
      + replace (p * E_state p (plan past) (fun st =>
            imb_of (loads_of st) + E_sum p k plan (st :: past)))
          with (E_state p (plan past) (fun st =>
            p * (imb_of (loads_of st) + E_sum p k plan (st :: past)) + 0))
          by (rewrite (E_state_linear p (plan past) p _ (fun _ => 0)), E_state_constant; ring).
        apply E_state_le; [exact P'|]. intros st S. change state in (type of st).
        assert (R' : reachable plan (st :: past)) by now apply one_more.
        specialize (IH (st :: past) R' ltac:(simpl; lia)).
        set (next := unmarked (plan (st :: past))).
        assert (N : loads_of next = plan (st :: past)) by apply loads_unmarked.
        assert (Fs : full G B st) by now apply (full_from_loads G B st (plan past)).
        destruct (run_step G B x delta st next g Fs (proj2 E st past next R' N)) as (pool & O & Q).
        pose proof (two_size_recursion G B p x delta st pool _ g Fs P' d O Q) as T.
        change (IZR (imbalance (map held next))) with (imb next) in T.
        assert (S' : loads_of st = plan past) by exact S.
        rewrite !imb_is_of_loads, N, S' in T. rewrite S'. fold c in T. lra.
      + rewrite E_state_linear, E_state_constant, S_INR. lra. }
  specialize (H K [] (at_the_start plan) (le_n K)).
  assert (k0 : 0 < INR K) by (apply lt_0_INR; lia).
  assert (pk : 0 < p * INR K) by (apply Rmult_lt_0_compat; lra).
  apply (Rmult_le_reg_r (p * INR K)); [exact pk|].
  replace (E_sum p K plan [] / INR K * (p * INR K)) with (p * E_sum p K plan []) by (field; lra).
  replace (((c + F) / p + imb_of (plan []) / (p * INR K)) * (p * INR K))
    with (imb_of (plan []) + INR K * (c + F)) by (field; lra).
  exact H.
Qed.
