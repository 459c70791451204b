(** * The recursions in expectation: departures that are really random

    Every request departs with probability [p] at every step, independently of everything before;
    what is admitted may depend on all that happened, and be random.  The recursions of
    [Recursion.v] and [Spread.v] then hold for the means of every step, so the expected average
    imbalance is bounded by that of the deviations, such as [Tail.v] bounds for given loads.

    Claim: [geometric.expected]. *)

From Coq Require Import Reals Lra ZArith List Lia.
From evenkeel Require Import Loads Step Departures Spacing Recursion Spread RandomDepartures.
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

(** All slots are full at first, and after every past and all departures an admission of the given
    kind leads to the loads of the next step. *)
Definition follows (G B : nat) (admission : step -> list (list Z) -> Prop) (plan : rule) : Prop :=
  (length (plan []) = G /\ Forall (fun ws => length ws = B) (plan [])) /\
  forall st past next, reachable plan (st :: past) -> loads_of next = plan (st :: past) ->
    moves admission st next.

(** Mean of a function of the state [k] steps after that past. *)
Fixpoint E_after (p : R) (plan : rule) (k : nat) (past : list state) (f : state -> R) : R :=
  match k with
  | O => E_state p (plan past) f
  | S j => E_state p (plan past) (fun st => E_after p plan j (st :: past) f)
  end.

Lemma full_from_loads : forall G B st, length (loads_of st) = G ->
  Forall (fun ws => length ws = B) (loads_of st) -> full G B st.
Proof.
  intros G B st L F. unfold loads_of in *. split; [now rewrite map_length in L|].
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

Lemma loads_stay_full : forall G B admission plan, fills G B admission ->
  follows G B admission plan -> forall past, reachable plan past ->
  forall st, loads_of st = plan past -> full G B st.
Proof.
  intros G B admission plan Fill [[L0 F0] M].
  induction 1 as [|st past H IH E]; intros next N.
  - apply full_from_loads; now rewrite N.
  - apply (Fill st next); [now apply IH|]. apply (M st past); [now constructor|exact N].
Qed.

(** Mean over a law of rules, and so over random pools and random policies. *)
Definition E_law (p : R) (law : list (R * rule)) (k : nat) (f : state -> R) : R :=
  mean law (fun plan => E_after p plan k [] f).

Lemma E_law_le : forall G B p admission law k f g, 0 <= p <= 1 -> fills G B admission ->
  law_of (follows G B admission) law -> (forall st, full G B st -> f st <= g st) ->
  E_law p law k f <= E_law p law k g.
Proof.
  intros G B p admission law k f g P Fill A H.
  apply (mean_le _ (follows G B admission)); [exact A|]. intros plan Q.
  assert (T : forall k past, reachable plan past ->
    E_after p plan k past f <= E_after p plan k past g); [|apply T; constructor].
  clear k. induction k as [|k IH]; intros past R; (apply E_state_le; [exact P|]); intros st E.
  - apply H. now apply (loads_stay_full G B admission plan Fill Q past R).
  - apply IH. now constructor.
Qed.

Lemma E_law_scaled : forall p law k c f,
  E_law p law k (fun st => c * f st) = c * E_law p law k f.
Proof.
  intros p law k c f. unfold E_law.
  assert (T : forall plan past, E_after p plan k past (fun st => c * f st)
    = c * E_after p plan k past f).
  { intros plan. induction k as [|k IH]; intros past; cbn [E_after];
      rewrite <- (Rplus_0_r (c * _)), <- (E_state_constant p (plan past) 0), <- E_state_linear;
      apply E_state_ext; intros st _; rewrite ?IH; ring. }
  unfold mean. induction law as [|[w plan] law IH]; simpl; [ring|]. rewrite IH, T. ring.
Qed.

(** What holds of a function of the loads in every step holds in the mean. *)
Lemma expected_step : forall G B p c admission law (f d : state -> R), 0 <= p <= 1 ->
  fills G B admission -> law_of (follows G B admission) law ->
  (forall st st', loads_of st = loads_of st' -> f st = f st') ->
  (forall st next, full G B st -> moves admission st next ->
     f next <= (1 - p) * f st + c + d st) ->
  forall k, E_law p law (S k) f <= (1 - p) * E_law p law k f + c + E_law p law k d.
Proof.
  intros G B p c admission law f d P Fill A same step k. unfold E_law.
  rewrite <- (mean_constant _ _ law c A).
  rewrite Rplus_assoc, <- (Rmult_1_l (mean law (fun _ => c))), <- !mean_linear.
  apply (mean_le _ (follows G B admission)); [exact A|]. intros plan Q.
  assert (H : forall k past, reachable plan past ->
    E_after p plan (S k) past f
    <= (1 - p) * E_after p plan k past f + c + E_after p plan k past d).
  { clear k. induction k as [|k IH]; intros past R.
    - cbn [E_after]. rewrite <- E_state_affine. apply E_state_le; [exact P|]. intros st E.
      assert (R' : reachable plan (st :: past)) by now constructor.
      set (next := unmarked (plan (st :: past))).
      assert (N : loads_of next = plan (st :: past)) by apply loads_unmarked.
      rewrite (E_state_ext p _ f (fun _ => f next)), E_state_constant.
      + apply (step st next); [|now apply (proj2 Q st past)].
        now apply (loads_stay_full G B admission plan Fill Q past R).
      + intros st' E'. apply same. rewrite N. exact E'.
    - cbn [E_after] in *. rewrite <- E_state_affine. apply E_state_le; [exact P|].
      intros st E. apply IH. now constructor. }
  specialize (H k [] (at_the_start plan)). lra.
Qed.

Lemma held_from_loads : forall st st', loads_of st = loads_of st' ->
  map held st = map held st'.
Proof.
  assert (H : forall st, map held st = map sum (loads_of st)).
  { intros st. unfold loads_of. now rewrite map_map. }
  intros st st' E. now rewrite !H, E.
Qed.

(** The mean over the departures, and over any finite law of rules, where every request departs
    with probability [p] whatever happened before.  From two sizes,
    [E Imb_(k+1) <= (1 - p) E Imb_k + spacing + E sum_g (X_g + max_h Y_h - B p delta)^+], so the
    expected average over [K] steps is at most
    [(spacing + average of the last terms) / p + E Imb_0 / (p K)].  From a rich pool the same holds
    without the spacing, and [E V_(k+1) <= (1 - p) E V_k + E (N - B p (b - a))^+]; so it is at most
    [G - 1] times [average of E (N - B p (b - a))^+ / p + E V_0 / (p K)]. *)
Theorem geometric_expected : forall G B K p, (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 ->
  (forall x delta law, (1 <= delta)%Z -> law_of (follows G B (of_two_sizes x delta)) law ->
     let E := E_law p law in
     (forall k, E (S k) imb <= (1 - p) * E k imb + IZR (spacing G delta)
                               + E k (deviations B p x delta)) /\
     average K (fun k => E k imb)
     <= (IZR (spacing G delta) + average K (fun k => E k (deviations B p x delta))) / p
        + E 0%nat imb / (p * INR K)) /\
  (forall a b law, law_of (follows G B (optimal_from_rich a b)) law ->
     let E := E_law p law in
     (forall k, E (S k) imb <= (1 - p) * E k imb + E k (deviations B p a (b - a)) /\
                E (S k) V <= (1 - p) * E k V + E k (fun st => Rmax 0 (excess B p a b st))) /\
     average K (fun k => E k imb)
     <= (INR G - 1) * (average K (fun k => E k (fun st => Rmax 0 (excess B p a b st))) / p
                       + E 0%nat V / (p * INR K))).
Proof.
  intros G B K p g k1 P. assert (P' : 0 <= p <= 1) by lra.
  assert (sameI : forall st st', loads_of st = loads_of st' -> imb st = imb st').
  { intros st st' H. unfold imb. now rewrite (held_from_loads _ _ H). }
  assert (sameV : forall st st', loads_of st = loads_of st' -> V st = V st').
  { intros st st' H. unfold V. now rewrite (held_from_loads _ _ H). }
  split.
  - intros x delta law d A E.
    assert (Fill := two_sizes_fill G B x delta g).
    assert (S : forall k, E (S k) imb <= (1 - p) * E k imb + IZR (spacing G delta)
                                         + E k (deviations B p x delta)).
    { intros k. apply (expected_step G B p _ (of_two_sizes x delta)); auto. intros st next L M.
      exact (imb_step G B p x delta st next g L (proj2 P) d M). }
    split; [exact S|].
    apply (averaged K p (IZR (spacing G delta)) (fun k => E k imb)
      (fun k => E k (deviations B p x delta)) k1 (proj1 P)); [|now intros].
    rewrite <- (Rmult_0_l (E K imb)). unfold E. rewrite <- E_law_scaled.
    apply (E_law_le G B p (of_two_sizes x delta)); auto. intros st _.
    rewrite Rmult_0_l. apply imb_nonnegative.
  - intros a b law A E.
    assert (Fill := rich_fills G B a b g).
    assert (SI : forall k, E (S k) imb <= (1 - p) * E k imb + 0 + E k (deviations B p a (b - a))).
    { intros k. apply (expected_step G B p _ (optimal_from_rich a b)); auto. intros st next L M.
      destruct (rich_step G B p a b st next g L (proj2 P) M) as (_ & _ & Q). lra. }
    assert (SV : forall k, E (S k) V
      <= (1 - p) * E k V + 0 + E k (fun st => Rmax 0 (excess B p a b st))).
    { intros k. apply (expected_step G B p _ (optimal_from_rich a b)); auto. intros st next L M.
      exact (spread_sum G B p a b st next g L (proj2 P) M). }
    split.
    { intros k. pose proof (SI k). pose proof (SV k). lra. }
    apply Rle_trans with ((INR G - 1) * average K (fun k => E k V)).
    + apply average_wide. intros k _. unfold E. rewrite <- E_law_scaled.
      apply (E_law_le G B p (optimal_from_rich a b)); auto. intros st L.
      apply (imbalance_and_spread G B st g L).
    + apply Rmult_le_compat_l; [apply (le_INR 1) in g; simpl in g; lra|].
      pose proof (averaged K p 0 (fun k => E k V)
        (fun k => E k (fun st => Rmax 0 (excess B p a b st))) k1 (proj1 P)) as T.
      cbv beta in T. rewrite Rplus_0_l in T. apply T; [|now intros].
      rewrite <- (Rmult_0_l (E K V)). unfold E. rewrite <- E_law_scaled.
      apply (E_law_le G B p (optimal_from_rich a b)); auto. intros st L.
      rewrite Rmult_0_l. apply (imbalance_and_spread G B st g L).
Qed.
