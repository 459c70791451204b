(** * From one step to the next: two sizes that the pool really offers

    [G] workers with [B] slots each, all of them occupied.  Some requests depart, whichever they
    are, and an optimal admission fills their slots from a pool that holds at least as many copies
    of two sizes [x] and [x + delta] as slots are free.  The imbalance after it is at most
    [1 - p] times the one before, [delta - 1] for each worker but one, and what the departures
    deviate from a share [p] of all load.  Growth by the same amount on all requests drops out, as
    every worker has [B] of them; so summing over the steps bounds the average imbalance, whatever
    the common drift.  Nothing here is random: [p] is any number, and every pattern of departures
    is allowed.

    Claims: [geometric.bfio-upper], [drift.bfio-upper]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill Departures.
Import ListNotations.
Open Scope Z_scope.

(** The pool holds enough copies of both sizes. *)
Definition offers (x delta : Z) (s : step) : Prop :=
  (list_sum (free s) <= count_occ Z.eq_dec (pool s) x)%nat /\
  (list_sum (free s) <= count_occ Z.eq_dec (pool s) (x + delta)%Z)%nat.

(** ** The optimum of one step from two sizes *)

(** Of [c] slots [j] take the larger size: the next multiple of [delta] below the level, or all. *)
Definition larger (M x delta : Z) (worker : Z * nat) : nat :=
  Nat.min (snd worker) (Z.to_nat ((M - fst worker - Z.of_nat (snd worker) * x) / delta)).

Definition two_sizes (M x delta : Z) (worker : Z * nat) : list Z :=
  repeat (x + delta) (larger M x delta worker)
    ++ repeat x (snd worker - larger M x delta worker).

Lemma two_sizes_length : forall M x delta worker,
  length (two_sizes M x delta worker) = snd worker.
Proof.
  intros. unfold two_sizes. rewrite app_length, !repeat_length. unfold larger. lia.
Qed.

(** The load stays at most [M], and below it by less than [delta] or by what the slots lack. *)
Lemma two_sizes_load : forall M x delta worker, 1 <= delta ->
  fst worker + Z.of_nat (snd worker) * x <= M ->
  let load := fst worker + sum (two_sizes M x delta worker) in
  fst worker + Z.of_nat (snd worker) * x <= load <= M /\
  M - load <= delta - 1 + Z.max 0 (M - fst worker - Z.of_nat (snd worker) * (x + delta)).
Proof.
  intros M x delta [l c] d H load. unfold load, two_sizes, larger. simpl fst in *. simpl snd in *.
  rewrite sum_app, !sum_repeat. set (gap := M - l - Z.of_nat c * x).
  pose proof (Z.div_mod gap delta ltac:(lia)) as D.
  pose proof (Z.mod_pos_bound gap delta ltac:(lia)) as R.
  set (q := gap / delta) in *. assert (Q : 0 <= q) by nia.
  rewrite Nat2Z.inj_sub, Nat2Z.inj_min, Z2Nat.id by lia.
  destruct (Z.le_ge_cases (Z.of_nat c) q) as [K|K].
  - rewrite Z.min_l by lia. nia.
  - rewrite Z.min_r by lia. nia.
Qed.

Lemma sum_of_all_but_one : forall A (f g : A -> Z) c xs y, In y xs -> 0 <= c ->
  Forall (fun z => f z <= c + g z) xs -> f y <= g y ->
  sum (map f xs) <= (Z.of_nat (length xs) - 1) * c + sum (map g xs).
Proof.
  intros A f g c xs y I C F H. induction F as [|z zs K F IH]; [destruct I|].
  assert (rest : sum (map f zs) <= Z.of_nat (length zs) * c + sum (map g zs)).
  { clear - F. induction F; simpl length; simpl map; simpl sum; cbv beta in *; lia. }
  simpl length. simpl map. simpl sum. cbv beta in K. destruct I as [->|I]; [lia|].
  apply IH in I. lia.
Qed.

(** From any level that no worker is above without the larger size, the two sizes give an
    admission with the loads of [two_sizes_load]. *)
Lemma two_sizes_admit : forall s M x delta, well_formed s -> 1 <= delta -> offers x delta s ->
  let workers := combine (loads s) (free s) in
  let groups := map (two_sizes M x delta) workers in
  admits s groups /\
  after s groups = map (fun w => fst w + sum (two_sizes M x delta w)) workers.
Proof.
  intros s M x delta W d [O1 O2] workers groups.
  assert (F : Forall2 (fun c group => length group = c) (free s) groups).
  { unfold groups, workers. destruct W as [_ W]. clear - W. revert W.
    generalize (loads s). induction (free s) as [|c cs IH]; intros [|l ls] E; simpl in *;
      try discriminate; constructor; [apply two_sizes_length|]. apply IH. congruence. }
  split.
  - pose proof (groups_fill _ _ F) as N. split; [|split].
    + clear - F. induction F; constructor; auto. lia.
    + rewrite N. unfold admissions. pose proof (count_occ_bound Z.eq_dec x (pool s)). lia.
    + apply part_of. intros y. pose proof (count_occ_bound Z.eq_dec y (concat groups)) as C.
      destruct (Z.eq_dec y x) as [->|N1]; [lia|].
      destruct (Z.eq_dec y (x + delta)) as [->|N2]; [lia|].
      rewrite (count_occ_outside (fun z => z = x \/ z = x + delta)); [lia| |tauto].
      apply Forall_forall. intros z I. apply in_concat in I. destruct I as (g & I & J).
      apply in_map_iff in I. destruct I as (w & <- & _). apply in_app_or in J.
      destruct J as [J|J]; apply repeat_spec in J; tauto.
  - unfold after, groups, workers. destruct W as [_ W]. clear - W. revert W.
    generalize (loads s). induction (free s) as [|c cs IH]; intros [|l ls] E; simpl in *;
      try discriminate; [reflexivity|]. unfold add_groups in *. simpl. f_equal. apply IH.
    congruence.
Qed.

Lemma below_level : forall s x,
  Forall (fun w => fst w + Z.of_nat (snd w) * x <= level (loads s) (free s) x)
    (combine (loads s) (free s)).
Proof.
  intros s x. apply Forall_forall. intros w I. apply largest_above, in_map_iff. now exists w.
Qed.

Lemma two_size_step : forall s x delta v, well_formed s -> 1 <= delta -> offers x delta s ->
  optimum s v ->
  v <= (Z.of_nat (length (loads s)) - 1) * (delta - 1)
       + waterfill (loads s) (free s) x (x + delta).
Proof.
  intros s x delta v W d O (best & [_ least] & <-).
  set (M := level (loads s) (free s) x). set (workers := combine (loads s) (free s)).
  assert (LW : length workers = length (loads s)).
  { unfold workers. rewrite combine_length. destruct W as [_ W]. lia. }
  destruct (two_sizes_admit s M x delta W d O) as [A E]. fold workers in A, E.
  set (groups := map _ workers) in *. pose proof (below_level s x) as B. fold workers M in B.
  assert (N : workers <> []) by now apply workers_nonempty.
  assert (top : largest (after s groups) <= M).
  { rewrite E. apply largest_least; [intros Z; now apply map_eq_nil in Z|].
    apply Forall_map. eapply Forall_impl; [|exact B]. intros w K.
    now apply (two_sizes_load M x delta w d). }
  assert (I : In M (map (fun w => fst w + Z.of_nat (snd w) * x) workers)).
  { apply largest_in. intros Z. now apply map_eq_nil in Z. }
  apply in_map_iff in I. destruct I as (w & K & I).
  eapply Z.le_trans; [exact (least groups A)|]. unfold cost.
  rewrite imbalance_is_the_sum_of_gaps, E, map_map. rewrite <- LW. unfold waterfill. fold workers M.
  apply sum_of_all_but_one with (y := w); [exact I|lia| |].
  - eapply Forall_impl; [|exact B]. intros u U. cbv beta in U.
    pose proof (two_sizes_load M x delta u d U). cbv zeta in *. rewrite <- E. lia.
  - rewrite Forall_forall in B. pose proof (two_sizes_load M x delta w d (B w I)).
    cbv zeta in *. rewrite <- E. lia.
Qed.

(** ** Departures *)

Open Scope R_scope.

Definition total (xs : list R) : R := fold_right Rplus 0 xs.
Definition maximum (xs : list R) : R :=
  match xs with [] => 0 | x :: rest => fold_right Rmax x rest end.

(** [xi = 1] for a request that departs and 0 else. *)
Definition xi (j : job) : R := if snd j then 1 else 0.

(** [X_g = sum (xi - p) (w - y)] and [Y_g = sum (p - xi) (w - y)]. *)
Definition X (p : R) (y : Z) (jobs : list job) : R :=
  total (map (fun j => (xi j - p) * IZR (fst j - y)) jobs).
Definition Y (p : R) (y : Z) (jobs : list job) : R :=
  total (map (fun j => (p - xi j) * IZR (fst j - y)) jobs).

(** [sum_g (X_g + max_h Y_h - B p delta)^+], [X] at [x + delta] and [Y] at [x]. *)
Definition deviations (B : nat) (p : R) (x delta : Z) (workers : state) : R :=
  total (map (fun jobs =>
    Rmax 0 (X p (x + delta) jobs + maximum (map (Y p x) workers) - INR B * p * IZR delta)) workers).

Definition imb (workers : state) : R := IZR (imbalance (map held workers)).

Lemma Y_is_minus_X : forall p y jobs, Y p y jobs = - X p y jobs.
Proof. unfold X, Y. induction jobs; simpl; [ring|]. rewrite IHjobs. ring. Qed.

(** The load with every free slot given size [y]. *)
Lemma refilled : forall p y jobs,
  IZR (sum (kept jobs) + Z.of_nat (gone jobs) * y)
  = (1 - p) * IZR (held jobs) + p * INR (length jobs) * IZR y - X p y jobs.
Proof.
  intros p y jobs. rewrite load_at, minus_IZR. unfold X, held, released, leaving.
  induction jobs as [|[w [|]] jobs IH].
  - simpl. ring.
  - change (filter snd ((w, true) :: jobs)) with ((w, true) :: filter snd jobs).
    simpl length. rewrite S_INR. simpl map. simpl sum. simpl total. rewrite !plus_IZR, minus_IZR.
    unfold xi in *. simpl. lra.
  - change (filter snd ((w, false) :: jobs)) with (filter snd jobs).
    simpl length. rewrite S_INR. simpl map. simpl sum. simpl total. rewrite !plus_IZR, minus_IZR.
    unfold xi in *. simpl. lra.
Qed.

Lemma maximum_above : forall xs x, In x xs -> x <= maximum xs.
Proof.
  assert (H : forall xs x, x <= fold_right Rmax x xs).
  { induction xs; intros x; simpl; [lra|]. eapply Rle_trans; [apply IHxs|apply Rmax_r]. }
  intros [|z zs] x I; [destruct I|]. simpl. destruct I as [->|I]; [apply H|].
  induction zs as [|u us IH]; [destruct I|]. simpl. destruct I as [->|I]; [apply Rmax_l|].
  eapply Rle_trans; [now apply IH|apply Rmax_r].
Qed.

Lemma maximum_in : forall xs, xs <> [] -> In (maximum xs) xs.
Proof.
  intros [|x xs] N; [congruence|]. simpl. clear N. induction xs as [|y ys IH]; simpl; [tauto|].
  destruct (Rle_dec y (fold_right Rmax x ys)) as [H|H].
  - rewrite Rmax_right by exact H. tauto.
  - rewrite Rmax_left by lra. tauto.
Qed.

Lemma total_of_sum : forall A (f : A -> Z) xs,
  IZR (sum (map f xs)) = total (map (fun x => IZR (f x)) xs).
Proof. induction xs; simpl; [reflexivity|]. now rewrite plus_IZR, IHxs. Qed.

Lemma total_le : forall A (f g : A -> R) xs,
  Forall (fun x => f x <= g x) xs -> total (map f xs) <= total (map g xs).
Proof. induction 1; simpl; lra. Qed.

Lemma total_linear : forall A a (f g : A -> R) xs,
  total (map (fun x => a * f x + g x) xs) = a * total (map f xs) + total (map g xs).
Proof. induction xs; simpl; [ring|]. rewrite IHxs. ring. Qed.

(** What the level exceeds the upper ends by. *)
Lemma waterfill_after_departures : forall G B p x delta workers pool,
  (1 <= G)%nat -> full G B workers -> p <= 1 ->
  let s := refill workers pool in
  IZR (waterfill (loads s) (free s) x (x + delta))
  <= (1 - p) * imb workers + deviations B p x delta workers.
Proof.
  intros G B p x delta workers pool g [L F] p1 s. unfold waterfill. simpl.
  rewrite combine_maps, map_map, total_of_sum. simpl.
  set (T := level _ _ x). set (top := largest (map held workers)).
  assert (N : workers <> []) by (intros ->; simpl in L; lia).
  assert (H : exists h, In h workers /\ T = (sum (kept h) + Z.of_nat (gone h) * x)%Z).
  { assert (I : In T (map (fun jobs => sum (kept jobs) + Z.of_nat (gone jobs) * x)%Z workers)).
    { unfold T, level. rewrite combine_maps, map_map. simpl. apply largest_in.
      intros E. now apply map_eq_nil in E. }
    apply in_map_iff in I. destruct I as (h & E & I). now exists h. }
  destruct H as (h & I & E). rewrite Forall_forall in F.
  assert (K : imb workers = total (map (fun jobs => IZR (top - held jobs)) workers)).
  { unfold imb. rewrite imbalance_is_the_sum_of_gaps, map_map. fold top. apply total_of_sum. }
  rewrite K. unfold deviations. rewrite <- total_linear. apply total_le, Forall_forall.
  intros jobs J.
  assert (Q : (held h <= top)%Z) by now apply largest_above, in_map.
  assert (R : (held jobs <= top)%Z) by now apply largest_above, in_map.
  assert (S : Y p x h <= maximum (map (Y p x) workers)) by now apply maximum_above, in_map.
  rewrite Y_is_minus_X in S. apply IZR_le in Q, R.
  replace (T - sum (kept jobs) - Z.of_nat (gone jobs) * (x + delta))%Z
    with (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))%Z by lia.
  set (m := maximum _) in *.
  assert (U : IZR (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))
    <= (1 - p) * IZR (top - held jobs)
       + (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  { rewrite minus_IZR, E, !(refilled p), (F h I), (F jobs J), minus_IZR, plus_IZR. nra. }
  assert (V : 0 <= (1 - p) * IZR (top - held jobs)).
  { rewrite minus_IZR. apply Rmult_le_pos; lra. }
  pose proof (Rmax_l 0 (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  pose proof (Rmax_r 0 (X p (x + delta) jobs + m - INR B * p * IZR delta)).
  set (lack := (T - (sum (kept jobs) + Z.of_nat (gone jobs) * (x + delta)))%Z) in *.
  destruct (Z.max_spec 0 lack) as [[_ ->]|[_ ->]]; lra.
Qed.

(** One step, whatever departs: with all slots full and a pool that offers [x] and [x + delta],
    an optimal admission has
    [Imb' <= (1-p) Imb + (G-1)(delta-1) + sum_g (X_g + max_h Y_h - B p delta)^+]. *)
Theorem two_size_recursion : forall G B p x delta workers pool v,
  (1 <= G)%nat -> full G B workers -> 0 <= p <= 1 -> (1 <= delta)%Z ->
  offers x delta (refill workers pool) -> optimum (refill workers pool) v ->
  IZR v <= (1 - p) * imb workers + (INR G - 1) * (IZR delta - 1)
           + deviations B p x delta workers.
Proof.
  intros G B p x delta workers pool v g L P d O V.
  pose proof (two_size_step _ x delta v (refill_well_formed G B workers pool g L) d O V) as S.
  pose proof (waterfill_after_departures G B p x delta workers pool g L (proj2 P)) as T.
  cbv zeta in T. apply IZR_le in S. rewrite plus_IZR, mult_IZR, !minus_IZR in S.
  simpl loads in S at 1. rewrite map_length, (proj1 L), <- INR_IZR_INZ in S. lra.
Qed.

(** ** A run: what holds of its steps, under any common growth *)

Lemma enough_to_fill : forall x delta s, offers x delta s ->
  (list_sum (free s) <= length (pool s))%nat.
Proof.
  intros x delta s [O _]. pose proof (count_occ_bound Z.eq_dec x (pool s)). lia.
Qed.

(** An optimal admission from a pool that holds enough copies of both sizes. *)
Definition of_two_sizes (x delta : Z) (s : step) (groups : list (list Z)) : Prop :=
  offers x delta s /\ optimal s groups.

Lemma run_step : forall G B x delta workers next,
  (1 <= G)%nat -> full G B workers -> moves (of_two_sizes x delta) workers next ->
  exists pool, offers x delta (refill workers pool) /\
    optimum (refill workers pool) (imbalance (map held next)).
Proof.
  intros G B x delta workers next g L (pool & groups & growth & [O [A M]] & S).
  destruct (after_a_step G B workers pool groups growth next g L (enough_to_fill _ _ _ O) A S)
    as [_ H].
  exists pool. split; [exact O|]. exists groups. split; [now split|].
  now rewrite H, imbalance_of_all_grown.
Qed.

(** ** Averages over [K] steps *)

(** Sum over the steps [0], ..., [K - 1]. *)
Fixpoint upto (K : nat) (f : nat -> R) : R :=
  match K with O => 0 | S k => upto k f + f k end.

Definition average (K : nat) (f : nat -> R) : R := upto K f / INR K.

Definition run : Type := nat -> state.

(** All slots are full at first, and every step has an admission of the given kind. *)
Definition runs (G B K : nat) (admission : step -> list (list Z) -> Prop) (r : run) : Prop :=
  full G B (r 0%nat) /\ forall k, (k < K)%nat -> moves admission (r k) (r (S k)).

(** A law of runs: runs with their probabilities, and the mean over them. *)
Definition law_of_runs (allowed : run -> Prop) (law : list (R * run)) : Prop :=
  Forall (fun c => 0 <= fst c /\ allowed (snd c)) law /\ total (map fst law) = 1.

Definition mean (law : list (R * run)) (f : run -> R) : R :=
  total (map (fun c => fst c * f (snd c)) law).

Lemma imb_nonnegative : forall workers, 0 <= imb workers.
Proof. intros. apply (IZR_le 0), imbalance_nonnegative. Qed.

Lemma mean_linear : forall law a f g,
  mean law (fun r => a * f r + g r) = a * mean law f + mean law g.
Proof.
  intros. unfold mean. rewrite <- total_linear. f_equal. apply map_ext. intros. ring.
Qed.

Lemma mean_le : forall law f g, Forall (fun c => 0 <= fst c /\ f (snd c) <= g (snd c)) law ->
  mean law f <= mean law g.
Proof.
  intros law f g F. apply total_le. eapply Forall_impl; [|exact F]. intros c [A B].
  now apply Rmult_le_compat_l.
Qed.

Lemma mean_constant : forall law c, total (map fst law) = 1 -> mean law (fun _ => c) = c.
Proof.
  intros law c E. transitivity (c * total (map fst law)); [|rewrite E; ring].
  clear E. unfold mean. induction law; simpl; [ring|]. rewrite IHlaw. ring.
Qed.

Lemma mean_upto : forall law K f,
  mean law (fun r => upto K (f r)) = upto K (fun k => mean law (fun r => f r k)).
Proof.
  induction K as [|K IH]; intros f; simpl.
  - unfold mean. induction law; simpl; [reflexivity|]. rewrite IHlaw. ring.
  - rewrite <- IH, <- (Rmult_1_l (mean law (fun r => upto K (f r)))), <- mean_linear.
    unfold mean. f_equal. apply map_ext. intros. ring.
Qed.

Lemma upto_le : forall K f c, (forall k, (k < K)%nat -> f k <= c) -> upto K f <= INR K * c.
Proof.
  induction K as [|K IH]; intros f c H; [simpl; lra|]. rewrite S_INR. simpl.
  pose proof (IH f c (fun k L => H k ltac:(lia))). pose proof (H K ltac:(lia)). lra.
Qed.

(** A recursion, summed over its steps; with one [p] and one constant it bounds the average. *)
Lemma summed : forall K p (f c d : nat -> R),
  (forall k, (k < K)%nat -> f (S k) <= (1 - p) * f k + c k + d k) ->
  p * upto K f <= f 0%nat - f K + upto K c + upto K d.
Proof.
  induction K as [|K IH]; intros p f c d H; [simpl; lra|].
  pose proof (IH p f c d (fun k L => H k ltac:(lia))). pose proof (H K ltac:(lia)).
  simpl upto. lra.
Qed.

Lemma upto_constant : forall K c, upto K (fun _ => c) = INR K * c.
Proof. induction K; intros c; [simpl; ring|]. rewrite S_INR. simpl. rewrite IHK. ring. Qed.

Lemma averaged : forall K p c (f d : nat -> R), (1 <= K)%nat -> 0 < p -> 0 <= f K ->
  (forall k, (k < K)%nat -> f (S k) <= (1 - p) * f k + c + d k) ->
  average K f <= (c + average K d) / p + f 0%nat / (p * INR K).
Proof.
  intros K p c f d k1 P N H. apply summed in H. rewrite upto_constant in H.
  assert (k0 : 0 < INR K) by (apply lt_0_INR; lia).
  assert (pk : 0 < p * INR K) by (apply Rmult_lt_0_compat; lra).
  unfold average. set (s := upto K f) in *. set (t := upto K d) in *.
  apply (Rmult_le_reg_r (p * INR K)); [exact pk|].
  replace (s / INR K * (p * INR K)) with (p * s) by (field; lra).
  replace (((c + t / INR K) / p + f 0%nat / (p * INR K)) * (p * INR K))
    with (INR K * c + t + f 0%nat) by (field; lra). lra.
Qed.

(** The same in the mean over a law of runs, with [F] a bound of the mean of every [d]. *)
Lemma averaged_in_the_mean : forall K p c F allowed law (f d : run -> nat -> R),
  (1 <= K)%nat -> 0 < p -> law_of_runs allowed law ->
  (forall r, allowed r -> 0 <= f r K /\
     forall k, (k < K)%nat -> f r (S k) <= (1 - p) * f r k + c + d r k) ->
  (forall k, (k < K)%nat -> mean law (fun r => d r k) <= F) ->
  mean law (fun r => average K (f r))
  <= (c + F) / p + mean law (fun r => f r 0%nat) / (p * INR K).
Proof.
  intros K p c F allowed law f d k1 P [A E] H D.
  assert (k0 : 0 < INR K) by (apply lt_0_INR; lia).
  assert (pk : 0 < p * INR K) by (apply Rmult_lt_0_compat; lra).
  apply Rle_trans with (mean law (fun r =>
    / (p * INR K) * f r 0%nat + (/ (p * INR K) * upto K (d r) + c / p))).
  - apply mean_le. eapply Forall_impl; [|exact A]. intros [q r] [Q I]. simpl in *.
    split; [exact Q|]. destruct (H r I) as [N S].
    eapply Rle_trans; [exact (averaged K p c (f r) (d r) k1 P N S)|].
    right. unfold average. field. lra.
  - rewrite !mean_linear, mean_constant by exact E. rewrite mean_upto.
    apply upto_le in D. set (t := upto K _) in *. set (i := mean law _).
    apply (Rmult_le_reg_r (p * INR K)); [exact pk|].
    match goal with |- ?y <= ?z => replace y with (i + (t + INR K * c)) by (field; lra);
      replace z with (INR K * c + INR K * F + i) by (field; lra) end. lra.
Qed.

Lemma run_full : forall G B K x delta r, (1 <= G)%nat ->
  runs G B K (of_two_sizes x delta) r -> forall k, (k <= K)%nat -> full G B (r k).
Proof.
  intros G B K x delta r g [L F]. induction k as [|k IH]; intros H; [exact L|].
  destruct (F k ltac:(lia)) as (pool & groups & growth & [O [A M]] & S).
  exact (proj1 (after_a_step G B _ pool groups growth _ g (IH ltac:(lia))
    (enough_to_fill _ _ _ O) A S)).
Qed.

Lemma run_steps : forall G B K p x delta r,
  (1 <= G)%nat -> 0 <= p <= 1 -> (1 <= delta)%Z -> runs G B K (of_two_sizes x delta) r ->
  forall k, (k < K)%nat ->
  imb (r (S k)) <= (1 - p) * imb (r k) + (INR G - 1) * (IZR delta - 1)
                   + deviations B p x delta (r k).
Proof.
  intros G B K p x delta r g P d H k I.
  destruct (run_step G B x delta (r k) (r (S k)) g) as (pool & O & T).
  - apply (run_full G B K x delta); auto. lia.
  - now apply (proj2 H).
  - apply (two_size_recursion G B p x delta _ pool); auto.
    apply (run_full G B K x delta); auto. lia.
Qed.

(** Over [K] steps of a run, whatever the common growth and the departures, the recursion holds
    at every step and
    [AvgImb <= ((G-1)(delta-1) + average of the deviations) / p + Imb_0 / (p K)].  In the mean over
    any finite law of such runs, with [F] a bound of the mean deviations of every step,
    [E AvgImb <= ((G-1)(delta-1) + F) / p + E Imb_0 / (p K)]. *)
Theorem two_size_average : forall G B K p x delta,
  (1 <= G)%nat -> (1 <= K)%nat -> 0 < p <= 1 -> (1 <= delta)%Z ->
  (forall r, runs G B K (of_two_sizes x delta) r ->
     (forall k, (k < K)%nat ->
        imb (r (S k)) <= (1 - p) * imb (r k) + (INR G - 1) * (IZR delta - 1)
                         + deviations B p x delta (r k)) /\
     average K (fun k => imb (r k))
     <= ((INR G - 1) * (IZR delta - 1) + average K (fun k => deviations B p x delta (r k))) / p
        + imb (r 0%nat) / (p * INR K)) /\
  (forall law F, law_of_runs (runs G B K (of_two_sizes x delta)) law ->
     (forall k, (k < K)%nat -> mean law (fun r => deviations B p x delta (r k)) <= F) ->
     mean law (fun r => average K (fun k => imb (r k)))
     <= ((INR G - 1) * (IZR delta - 1) + F) / p
        + mean law (fun r => imb (r 0%nat)) / (p * INR K)).
Proof.
  intros G B K p x delta g k1 P d.
  assert (S := fun r => run_steps G B K p x delta r g ltac:(lra) d).
  split.
  - intros r H. split; [now apply S|].
    apply averaged; [exact k1|lra|apply imb_nonnegative|now apply S].
  - intros law F A D.
    apply (averaged_in_the_mean K p _ F _ law (fun r k => imb (r k))
      (fun r k => deviations B p x delta (r k)) k1 ltac:(lra) A); [|exact D].
    intros r H. split; [apply imb_nonnegative|now apply S].
Qed.
